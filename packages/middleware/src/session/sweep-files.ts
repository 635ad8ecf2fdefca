// Removes the files of sessions that have ended, a folder at a time, without blocking requests.
import { readdir, rmdir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";

const GRACE_MS = 60_000; // requests that began before the end may still be saving
const LEFTOVER_MS = 3_600_000; // of a process that died in mid-write

const KEY = /^[0-9a-f]{64}$/;

/** One pass over the folder of a file store. */
export async function sweepSessionFiles(directory: string): Promise<void> {
  for (const folder of await list(directory)) {
    if (/^[0-9a-f]{2}$/.test(folder)) await sweepFolder(join(directory, folder));
  }
  for (const folder of await list(join(directory, "users")))
    await sweepMarks(directory, join(directory, "users", folder));
}

async function sweepFolder(folder: string): Promise<void> {
  const nowMs = Date.now();
  for (const name of await list(folder)) {
    const path = join(folder, name);
    const facts = await stat(path).catch(() => null);
    if (facts === null) continue;
    // A session's modification time is its end; of anything else the last change counts.
    const isOver = KEY.test(name) ? facts.mtimeMs + GRACE_MS < nowMs : facts.ctimeMs + LEFTOVER_MS < nowMs;
    if (isOver) await unlink(path).catch(() => {});
  }
}

async function sweepMarks(directory: string, folder: string): Promise<void> {
  for (const key of await list(folder)) {
    const isThere = await stat(join(directory, key.slice(0, 2), key)).then(
      () => true,
      () => false,
    );
    if (!isThere) await unlink(join(folder, key)).catch(() => {});
  }
  await rmdir(folder).catch(() => {}); // only when empty
}

function list(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: { code?: unknown }) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
}
