// What the tests of programs share: a look at the process table.
import { existsSync, readFileSync } from "node:fs";

/** Whether a process runs; zombies do not. */
export function runs(pid: number): boolean {
  try {
    if (existsSync("/proc/self/status")) return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "latin1"));
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Settles when a process has ended: nothing tells us of processes that are not our children, so we look. */
export async function gone(pid: number): Promise<void> {
  while (runs(pid)) await new Promise(setImmediate);
}
