// Our own environment as byte strings. Node decodes it as UTF-8 with replacement, which loses bytes.
import { readFileSync } from "node:fs";
import { byteStringToBytes, bytesToByteString, toBytes } from "../bytes/byte-string.ts";

/**
 * The environment this process was started with, names and values as byte strings.
 *
 * Read from `/proc/self/environ` where that exists (Linux), so that a byte such
 * as `E9` in a CGI variable arrives as sent; elsewhere `process.env` encoded as
 * UTF-8. A variable that `process.env` has changed, gained or lost since the
 * start is given as it is there now. Of a repeated name the first counts, as in `getenv`.
 */
export function processEnvironment(): ReadonlyMap<string, string> {
  return mergeEnvironment(startEnvironment(), process.env);
}

/** What `/proc/self/environ` holds, or `null` where it cannot be read. */
function startEnvironment(): Uint8Array | null {
  try {
    return readFileSync("/proc/self/environ");
  } catch {
    return null;
  }
}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** The raw block `NAME=value\0…` with the changes that `current` shows; exported for tests. */
export function mergeEnvironment(
  raw: Uint8Array | null,
  current: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<string, string> {
  const exact = raw === null ? new Map<string, Uint8Array>() : splitBlock(raw);
  const merged = new Map<string, string>();
  const seen = new Set<string>();
  for (const [name, value] of exact) {
    const text = utf8.decode(byteStringToBytes(name));
    seen.add(text);
    const now = current[text];
    if (now === undefined) continue;
    merged.set(name, utf8.decode(value) === now ? bytesToByteString(value) : toBytes(now));
  }
  for (const [name, value] of Object.entries(current)) {
    if (value !== undefined && !seen.has(name)) merged.set(toBytes(name), toBytes(value));
  }
  return merged;
}

function splitBlock(raw: Uint8Array): Map<string, Uint8Array> {
  const entries = new Map<string, Uint8Array>();
  for (let start = 0; start < raw.length; ) {
    const nul = raw.indexOf(0, start);
    const end = nul === -1 ? raw.length : nul;
    const entry = raw.subarray(start, end);
    const equals = entry.indexOf(0x3d, 1);
    if (equals > 0) {
      const name = bytesToByteString(entry.subarray(0, equals));
      if (!entries.has(name)) entries.set(name, entry.subarray(equals + 1));
    }
    start = end + 1;
  }
  return entries;
}
