// The file that holds our process id.
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { StartError } from "../usage-error.ts";

/** A process id on its way into a file. */
export interface PidFile {
  /** Puts it in place: from now on others may signal us. */
  publish(): void;
  /** Removes it, unless another process has put its own there. */
  remove(): void;
}

/**
 * Writes our process id beside the file, so that `publish` cannot fail for want of a folder or of rights, and the file
 * is never half-written. A start that fails leaves the file of a running gateway as it is.
 *
 * @throws StartError if it cannot be written
 */
export function preparePidFile(file: string): PidFile {
  const draft = `${file}.${process.pid}`;
  try {
    writeFileSync(draft, `${process.pid}\n`);
  } catch (error) {
    throw new StartError(`cannot write --pid ${file}: ${(error as Error).message}`, { cause: error });
  }
  return {
    publish: () => renameSync(draft, file),
    remove() {
      rmSync(draft, { force: true });
      if (isOurs(file)) rmSync(file, { force: true });
    },
  };
}

function isOurs(file: string): boolean {
  try {
    return readFileSync(file, "utf8").trim() === String(process.pid);
  } catch {
    return false;
  }
}
