// One case of the conformance list: what a client sends, and what an echoing server must do.
import { setImmediate as turn } from "node:timers/promises";
import { expect } from "vitest";
import { BINARY, CLOSE, closePayload, type FrameParts, maskedFrame, PONG, type ServerFrame, TEXT } from "./frames.ts";
import type { Wire } from "./wire.ts";

/** What comes back: a message or a pong. Strings are byte strings. */
export type Reply = readonly [kind: "text" | "binary" | "pong", payload: Uint8Array | string];

/** A case by its number in the published list. */
export interface WireCase {
  readonly id: string;
  readonly about: string;
  readonly frames: readonly FrameParts[];
  /** Bytes per write; 0: a write for each frame; left out: one write for all. */
  readonly chop?: number;
  readonly replies: readonly Reply[];
  /** The code that the server closes with; left out: it does not, the client closes with 1000 and is answered. */
  readonly closes?: readonly number[];
  /** Replies that may be missing when the server fails the connection: from this one on. @default all must come */
  readonly mayMissFrom?: number;
}

/** Runs a case on an open socket, and waits for the end of the connection. */
export async function runCase(wire: Wire, one: WireCase): Promise<void> {
  for (const bytes of chopped(one)) await wire.write(bytes);
  const isComplete = (frames: readonly ServerFrame[]): boolean =>
    frames.some(({ opcode }) => opcode === CLOSE) || repliesOf(frames).length >= one.replies.length;
  if (one.closes === undefined) {
    await wire.until(isComplete);
    await turn(); // one reply too many would be on its way by now
    await wire.write(maskedFrame({ opcode: CLOSE, payload: closePayload(1000) }));
  }
  await wire.until(() => false); // to the end of the connection
  const replies = repliesOf(wire.frames);
  expect(replies.length).toBeGreaterThanOrEqual(one.mayMissFrom ?? one.replies.length);
  expect(replies.map(describe)).toEqual(one.replies.slice(0, replies.length).map(describe));
  expect(one.closes ?? [1000]).toContain(closeCode(wire.frames));
}

/** The code of the server's close frame; 1005: it has none; 1006: there was no close frame. Nothing may follow it. */
export function closeCode(frames: readonly ServerFrame[]): number {
  const at = frames.findIndex(({ opcode }) => opcode === CLOSE);
  if (at === -1) return 1006;
  expect(frames.slice(at + 1)).toEqual([]);
  const { payload } = frames[at] as ServerFrame;
  return payload.length === 0 ? 1005 : payload.readUInt16BE(0);
}

function chopped({ frames, chop }: WireCase): Buffer[] {
  const written = frames.map(maskedFrame);
  if (chop === 0) return written;
  const all = Buffer.concat(written);
  if (chop === undefined) return [all];
  return Array.from({ length: Math.ceil(all.length / chop) }, (_, at) => all.subarray(at * chop, (at + 1) * chop));
}

/** Whole messages and pongs. */
function repliesOf(frames: readonly ServerFrame[]): Reply[] {
  return frames
    .filter(({ opcode }) => opcode === TEXT || opcode === BINARY || opcode === PONG)
    .map(({ opcode, payload }) => [opcode === TEXT ? "text" : opcode === BINARY ? "binary" : "pong", payload]);
}

/** As text that a failed expectation can print. */
function describe([kind, payload]: Reply): string {
  const bytes = typeof payload === "string" ? Buffer.from(payload, "latin1") : Buffer.from(payload);
  return bytes.length <= 200 ? `${kind} ${bytes.toString("hex")}` : `${kind} of ${bytes.length}: ${checksum(bytes)}`;
}

function checksum(bytes: Buffer): number {
  let sum = 0;
  for (const byte of bytes) sum = (sum * 31 + byte) | 0;
  return sum;
}
