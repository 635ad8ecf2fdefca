// Descriptors that we inherited ourselves and that would pass on to every program we start (R-C20).
import { openSync, readdirSync, readFileSync } from "node:fs";

let found: readonly number[] | null = null;
let nullDevice: number | null = null;

/**
 * Descriptors above 2 that a new program would get although nobody meant it to.
 *
 * Node opens everything close-on-exec, and marks what it inherited up to 16
 * or so; a descriptor beyond a gap keeps its way through. Linux only; the
 * list cannot grow, so it is made once.
 */
function inheritedDescriptors(): readonly number[] {
  found ??= scan();
  return found;
}

const O_CLOEXEC = 0o2000000;

function scan(): number[] {
  try {
    const limit = descriptorLimit();
    return readdirSync("/proc/self/fdinfo")
      .map(Number)
      .filter((fd) => fd < limit && passesOn(fd));
  } catch {
    return []; // no /proc
  }
}

/** What was opened before the limit was lowered lies above it, where nothing can be put in its place. */
function descriptorLimit(): number {
  const limit = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1"))?.[1];
  return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
}

function passesOn(fd: number): boolean {
  if (fd <= 2) return false;
  try {
    const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "latin1"))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0;
  } catch {
    return false; // the one that read the directory
  }
}

/** The streams of a new program, with the null device in the place of what must not pass on. */
export function withoutInherited(streams: readonly ("ignore" | "pipe" | number)[]): ("ignore" | "pipe" | number)[] {
  const stdio = [...streams];
  for (const fd of inheritedDescriptors()) {
    if (fd < streams.length) continue;
    while (stdio.length < fd) stdio.push("ignore");
    nullDevice ??= openSync("/dev/null", "r+");
    stdio[fd] = nullDevice;
  }
  return stdio;
}
