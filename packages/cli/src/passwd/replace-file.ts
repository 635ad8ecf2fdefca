// A file replaced in one step: readers see the old one or the new one, and of two writers one is told to wait.
import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { StartError } from "../usage-error.ts";

/** What a file holds, or `null` if it is not there. @throws StartError if it cannot be read */
export function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new StartError(`cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * Changes a file by way of another one beside it, which is also the lock: `change` is given what the file holds, and gives
 * what it shall hold, or `null` to leave it. Owner and permissions stay; a new file is its owner's alone.
 *
 * @throws StartError if somebody else is changing it, or it cannot be written
 */
export async function replaceFile(
  file: string,
  change: (before: string | null) => string | null | Promise<string | null>,
): Promise<void> {
  const target = realPathOf(file);
  const draft = `${target}.new`;
  const descriptor = openDraft(draft, file);
  try {
    const after = await change(readIfThere(target));
    if (after === null) return rmSync(draft);
    writeSync(descriptor, after);
    fsyncSync(descriptor);
    keepRights(target, draft);
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

function openDraft(draft: string, file: string): number {
  try {
    return openSync(draft, "wx", 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
      throw new StartError(`cannot write ${file}: ${(error as Error).message}`, { cause: error });
    }
    throw new StartError(`somebody else is changing ${file}; if nobody is, remove ${draft}`, { cause: error });
  }
}

function realPathOf(file: string): string {
  try {
    return realpathSync(file); // a link stays one
  } catch {
    return file;
  }
}

function keepRights(target: string, draft: string): void {
  let mode: number;
  try {
    const before = statSync(target);
    ({ mode } = before);
    if (process.getuid?.() === 0) chownSync(draft, before.uid, before.gid);
  } catch {
    return; // it is new
  }
  chmodSync(draft, mode & 0o777);
}
