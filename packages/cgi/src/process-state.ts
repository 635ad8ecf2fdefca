// Whether a process still runs, asked at a moment when its end may not have been told yet.
import { readFileSync } from "node:fs";

/** Linux sets it before a process on its way out closes its descriptors. */
const PF_EXITING = 0x4;

/**
 * Whether a process of ours runs and is not on its way out.
 *
 * One that is dying has closed its output already, but cannot be waited for yet: seen from outside only the kernel's
 * flags tell it from one that closed its output by itself. Without them (no Linux) a process counts as running until
 * it is reaped.
 */
export function isRunning(pid: number): boolean {
  try {
    // pid (name) state parent group session terminal owner flags …; a name may hold blanks and brackets
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const [state, , , , , , flags] = stat.slice(stat.lastIndexOf(")") + 2).split(" ", 7);
    return state !== "Z" && state !== "X" && (Number(flags) & PF_EXITING) === 0;
  } catch {
    return exists(pid);
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
