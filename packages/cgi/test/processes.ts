// What tests look at in /proc: which processes live, which descriptors are open.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Whether a process lives; a zombie does not. */
export function isAlive(pid: number): boolean {
  return stateOf(pid) !== null && stateOf(pid) !== "Z";
}

/** Children of this process that ended but were not reaped. */
export function zombies(): number[] {
  return childrenOf(process.pid).filter((pid) => stateOf(pid) === "Z");
}

/** Processes started by this one. */
export function childrenOf(parent: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => fieldsOf(pid)?.[1] === String(parent));
}

/** Open descriptors of this process: number and what it is. */
export function openDescriptors(): string[] {
  return readdirSync("/proc/self/fd").flatMap((name) => {
    try {
      return [`${name} ${readlinkSync(`/proc/self/fd/${name}`)}`];
    } catch {
      return [];
    }
  });
}

function stateOf(pid: number): string | null {
  return fieldsOf(pid)?.[0] ?? null;
}

/** Fields of /proc/PID/stat after the name: state, parent, group, … */
function fieldsOf(pid: number): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}

/** Program and arguments of a process; empty if it is gone. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

/** The process group of a process; `null` if it is gone. */
export function groupOf(pid: number): number | null {
  const group = fieldsOf(pid)?.[2];
  return group === undefined ? null : Number(group);
}
