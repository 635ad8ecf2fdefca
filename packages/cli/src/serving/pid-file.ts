// The file that holds our process id.
import {
  closeSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename } from "node:path";
import { StartError } from "../usage-error.ts";

/** A process id on its way into a file. */
export interface PidFile {
  /** Puts it in place: from now on others may signal us. */
  publish(): void;
  /** Removes it, unless another process has put its own there. */
  remove(): void;
}

/** How the file is kept. */
export interface PidFileOptions {
  /** We will be another user when it is written: it is opened now. @default false */
  readonly isOpenedNow?: boolean;
}

/**
 * Makes sure that the file can be written, before anything is started. A start that fails leaves the file of a running
 * gateway as it is; what a dead process left is replaced.
 *
 * @throws StartError if it cannot be written, or if the gateway that it names still runs
 */
export function preparePidFile(file: string, { isOpenedNow = false }: PidFileOptions = {}): PidFile {
  const running = runningGateway(file);
  if (running !== null)
    throw new StartError(
      `--pid ${file} is that of a gateway that runs: process ${running}; stop it, or name another file`,
    );
  return written(file, () => (isOpenedNow ? openedFile(file) : draftedFile(file)));
}

/** Written beside the file and then renamed, so that nobody reads half of it. */
function draftedFile(file: string): PidFile {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${process.pid}\n`);
  return {
    publish: () => renameSync(draft, file),
    remove() {
      rmSync(draft, { force: true });
      if (readPid(file) === process.pid) rmSync(file, { force: true });
    },
  };
}

/** Kept open while we change our user: in /run we could then neither make nor remove it, so that it ends empty there. */
function openedFile(file: string): PidFile {
  const fd = openSync(file, "a", 0o644);
  let isOurs = false;
  let isOpen = true;
  return {
    publish() {
      ftruncateSync(fd);
      writeSync(fd, `${process.pid}\n`);
      isOurs = true;
    },
    remove() {
      if (!isOpen) return;
      isOpen = false;
      if (isOurs && readPid(file) === process.pid) {
        ftruncateSync(fd);
        removeIfAllowed(file);
      }
      closeSync(fd);
    },
  };
}

function removeIfAllowed(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // an empty file names nobody
  }
}

function written<T>(file: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw new StartError(`cannot write --pid ${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** The gateway that a file names, if it runs. The id of a dead one may be somebody else's by now. */
function runningGateway(file: string): number | null {
  const pid = readPid(file);
  return pid !== null && pid !== process.pid && isGateway(pid) ? pid : null;
}

function readPid(file: string): number | null {
  try {
    const text = readFileSync(file, "utf8").trim();
    return /^\d+$/.test(text) ? Number(text) : null;
  } catch {
    return null;
  }
}

function isGateway(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return words.some((word) => /^gw(\.js)?$/.test(basename(word)));
  } catch {
    return false; // no /proc: better replace a file than refuse to start
  }
}
