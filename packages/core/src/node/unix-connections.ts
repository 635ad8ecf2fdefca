// Who is connected to a unix socket, in whatever process: how we know that a process has no request left.
import { readFileSync } from "node:fs";
import type { Clock } from "./clock.ts";

const LISTENS = 0x10000; // __SO_ACCEPTCON
const LOOK_MS = 25;

/**
 * Connections to a socket, those that wait to be accepted included.
 *
 * @param boundAs path that was bound; a later name of the file is not known to the kernel
 * @returns `null` where the kernel does not tell (Linux does)
 */
export function countConnections(boundAs: string): number | null {
  let table: string;
  try {
    table = readFileSync("/proc/net/unix", "utf8");
  } catch {
    return null;
  }
  // Num RefCount Protocol Flags Type St Inode Path
  const rows = table.split("\n").filter((row) => row.endsWith(` ${boundAs}`));
  return rows.filter((row) => (Number.parseInt(row.split(" ")[3] ?? "0", 16) & LISTENS) === 0).length;
}

/**
 * Settles when nobody is connected any more, at the limit, or when the signal fires; at once where that cannot be seen.
 *
 * Nobody has to be there twice in a row: who was told of the path a moment ago may be on the way.
 */
export async function untilUnused(
  boundAs: string,
  { limitMs, clock, signal }: { limitMs: number; clock: Clock; signal: AbortSignal },
): Promise<void> {
  const giveUpAt = clock.now() + limitMs;
  for (let empty = 0; empty < 2 && clock.now() < giveUpAt; ) {
    await clock.pause(LOOK_MS, signal);
    const connections = signal.aborted ? null : countConnections(boundAs);
    if (connections === null) return;
    empty = connections === 0 ? empty + 1 : 0;
  }
}
