// Cases 9: large messages, small fragments, small writes, many messages.
import type { Reply, WireCase } from "./case.ts";
import { BINARY, CONTINUATION, type FrameParts, TEXT } from "./frames.ts";

const MIB = 2 ** 20;
const KINDS = [TEXT, BINARY];

/** Cases 9 of the list. @param scale 1: as published; less: smaller messages */
export function limitCases(scale: number): WireCase[] {
  return [...large(scale), ...inFragments(scale), ...inPieces(scale), ...inNumbers(scale)];
}

function message(opcode: number, bytes: number): string {
  const pattern = opcode === TEXT ? "BAsd7&jh23" : "\x00\xfe\x23\xfa\xf0";
  return pattern.repeat(Math.ceil(bytes / pattern.length)).slice(0, bytes);
}

const reply = (opcode: number, payload: string): Reply => [opcode === TEXT ? "text" : "binary", payload];

/** 9.1, 9.2: 64 KiB to 16 MiB in one frame. */
function large(scale: number): WireCase[] {
  return KINDS.flatMap((opcode, kind) =>
    [1 / 16, 1 / 4, 1, 4, 8, 16].map((mib, at): WireCase => {
      const payload = message(opcode, Math.ceil(mib * MIB * scale));
      const frames = [{ opcode, payload }];
      return {
        id: `9.${kind + 1}.${at + 1}`,
        about: `${payload.length} bytes`,
        frames,
        replies: [reply(opcode, payload)],
      };
    }),
  );
}

/** 9.3, 9.4: 4 MiB in fragments of 64 bytes to 4 MiB. */
function inFragments(scale: number): WireCase[] {
  return KINDS.flatMap((opcode, kind) =>
    [64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, MIB, 4 * MIB].map((size, at): WireCase => {
      const payload = message(opcode, Math.ceil(4 * MIB * scale));
      return {
        id: `9.${kind + 3}.${at + 1}`,
        about: `${payload.length} bytes in fragments of ${size}`,
        frames: cut(opcode, payload, size),
        replies: [reply(opcode, payload)],
      };
    }),
  );
}

function cut(opcode: number, payload: string, size: number): FrameParts[] {
  const count = Math.ceil(payload.length / size);
  return Array.from({ length: count }, (_, at) => ({
    opcode: at === 0 ? opcode : CONTINUATION,
    payload: payload.slice(at * size, (at + 1) * size),
    isFinal: at === count - 1,
  }));
}

/** 9.5, 9.6: 1 MiB in writes of 64 to 2,048 bytes. */
function inPieces(scale: number): WireCase[] {
  return KINDS.flatMap((opcode, kind) =>
    [64, 128, 256, 512, 1_024, 2_048].map((chop, at): WireCase => {
      const payload = message(opcode, Math.ceil(MIB * scale));
      return {
        id: `9.${kind + 5}.${at + 1}`,
        about: `${payload.length} bytes in writes of ${chop}`,
        frames: [{ opcode, payload }],
        replies: [reply(opcode, payload)],
        chop,
      };
    }),
  );
}

/** 9.7, 9.8: a thousand messages. */
function inNumbers(scale: number): WireCase[] {
  return KINDS.flatMap((opcode, kind) =>
    [0, 16, 64, 256, 1_024, 4_096].map((size, at): WireCase => {
      const payload = message(opcode, size);
      const count = Math.ceil(1_000 * scale);
      return {
        id: `9.${kind + 7}.${at + 1}`,
        about: `${count} messages of ${size} bytes`,
        frames: Array.from({ length: count }, () => ({ opcode, payload })),
        replies: Array.from({ length: count }, () => reply(opcode, payload)),
      };
    }),
  );
}
