// Buffers that are passed on at once: freed by short collections, before V8 starts long ones for them.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** So much may pass before the buffers of it are collected: a short collection costs as much as a few reads. */
const EVERY_BYTES = 6_291_456;

let passed = 0;
let collectYoung: (() => void) | null = null;

/**
 * Counts bytes that were read from a socket into buffers of their own, and are garbage as soon as they are written to another.
 *
 * V8 counts such bytes as memory outside of its heap, and answers their growth by marking all that is in its heap, again and
 * again: where a gateway relays hundreds of megabytes in a second, that was nearly half of its processor time. A
 * collection of the young objects alone frees them, too, and costs a tenth.
 */
export function countPassing(bytes: number): void {
  passed += bytes;
  if (passed < EVERY_BYTES) return;
  passed = 0;
  collectYoung ??= youngCollector();
  collectYoung();
}

/** `gc` of a context made while V8 offers it; nothing else of this process gets it. */
function youngCollector(): () => void {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as (options: { type: "minor" }) => void;
  setFlagsFromString("--no-expose-gc");
  return () => gc({ type: "minor" });
}
