// Buffers that are passed on at once: given back when they are written, or freed by short collections, before V8 starts long ones for them.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** So much may pass before the buffers of it are collected: a short collection costs as much as a few reads. */
const EVERY_BYTES = 6_291_456;
/** Smaller reads are left to the collector. */
const LENT_FROM_BYTES = 16_384;

/** A buffer that was read into, with the bytes of it that readers still have. `transfer` is missing before Node 21. */
interface LentBuffer extends ArrayBuffer {
  gwLentBytes?: number;
  transfer?(newLength: number): ArrayBuffer;
}

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

/**
 * Says that `bytes` of what was just read into a buffer of its own are in the hands of readers that give them back, and
 * that nobody else holds any part of it.
 */
export function lend(read: Uint8Array, bytes: number): void {
  countPassing(read.length);
  const buffer = read.buffer as LentBuffer;
  if (read.length < LENT_FROM_BYTES || buffer.byteLength !== read.length || buffer.transfer === undefined) return;
  buffer.gwLentBytes = bytes;
}

/**
 * Gives back a chunk of an exclusive body, once, when nothing reads it any more: the system has taken what was written of it.
 *
 * The memory of a read is freed with its last chunk, and whoever holds on to a chunk against the rule finds it empty. Chunks
 * that were not lent are left as they are.
 */
export function giveBack(chunk: Uint8Array): void {
  const buffer = chunk.buffer as LentBuffer;
  const lent = buffer.gwLentBytes;
  if (lent === undefined) return;
  const left = lent - chunk.length;
  buffer.gwLentBytes = left;
  if (left > 0) return;
  passed -= buffer.byteLength;
  buffer.transfer?.(0);
}

/** `gc` of a context made while V8 offers it; nothing else of this process gets it. */
function youngCollector(): () => void {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as (options: { type: "minor" }) => void;
  setFlagsFromString("--no-expose-gc");
  return () => gc({ type: "minor" });
}
