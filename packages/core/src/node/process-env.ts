// Our own environment as byte strings. Node decodes it as UTF-8 with replacement, which loses bytes.
import { readFileSync } from "node:fs";
import { bytesToByteString, toBytes, toText } from "../bytes/byte-string.ts";
import { parseEnvironmentBlock } from "../environ/env-bytes.ts";

/**
 * The environment of this process, names and values as byte strings.
 *
 * Read from `/proc/self/environ` where that exists (Linux), so that a byte such
 * as `E9` in a CGI variable arrives as sent; elsewhere `process.env` as UTF-8.
 * What `process.env` has changed, gained or lost since the start counts.
 */
export function processEnvironment(): ReadonlyMap<string, string> {
  return mergeEnvironment(startEnvironment(), process.env);
}

/** What this process was started with; empty where that cannot be read. */
function startEnvironment(): Map<string, string> {
  try {
    return parseEnvironmentBlock(bytesToByteString(readFileSync("/proc/self/environ")));
  } catch {
    return new Map();
  }
}

/** The exact bytes of what has not changed, UTF-8 of the rest. */
export function mergeEnvironment(
  atStart: ReadonlyMap<string, string>,
  current: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<string, string> {
  const merged = new Map<string, string>();
  const seen = new Set<string>();
  for (const [name, value] of atStart) {
    const text = toText(name);
    const now = current[text];
    seen.add(text);
    if (now !== undefined) merged.set(name, toText(value) === now ? value : toBytes(now));
  }
  for (const [name, value] of Object.entries(current)) {
    if (value !== undefined && !seen.has(name)) merged.set(toBytes(name), toBytes(value));
  }
  return merged;
}
