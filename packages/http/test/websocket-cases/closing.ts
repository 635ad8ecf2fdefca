// Cases 7: the closing handshake (RFC 6455 §5.5.1, §7.4).
import type { WireCase } from "./case.ts";
import { CLOSE, CONTINUATION, closePayload, type FrameParts, PING, TEXT } from "./frames.ts";

const hello: FrameParts = { opcode: TEXT, payload: "Hello World!" };
const normal = close(closePayload(1000));

function close(payload: Uint8Array | string = ""): FrameParts {
  return { opcode: CLOSE, payload };
}

/** Cases 7 of the list. */
export function closingCases(): WireCase[] {
  return [...afterwards(), ...payloads(), ...codes()];
}

/** 7.1: what comes after a close frame is not looked at. */
function afterwards(): WireCase[] {
  const clean = { replies: [], closes: [1000] };
  const large: FrameParts = { opcode: TEXT, payload: "BAsd7&jh23".repeat(26_215).slice(0, 262_144) };
  const [start, end] = [
    { opcode: TEXT, payload: "fragment1", isFinal: false },
    { opcode: CONTINUATION, payload: "fragment2" },
  ];
  return [
    { id: "7.1.1", about: "a message, then a close", frames: [hello], replies: [["text", "Hello World!"]] },
    { id: "7.1.2", about: "two closes", frames: [normal, normal], ...clean },
    { id: "7.1.3", about: "a ping after the close", frames: [normal, { opcode: PING }], ...clean },
    { id: "7.1.4", about: "a text after the close", frames: [normal, hello], ...clean },
    { id: "7.1.5", about: "a close between fragments", frames: [start, normal, end], ...clean },
    {
      id: "7.1.6",
      about: "a close right behind 256 KiB",
      frames: [large, hello, normal, { opcode: PING }],
      replies: [
        ["text", large.payload as string],
        ["text", "Hello World!"],
      ],
      mayMissFrom: 0,
      closes: [1000],
    },
  ];
}

/** 7.3, 7.5: what a close frame may hold. */
function payloads(): WireCase[] {
  const surrogate = Buffer.from("cebae1bdb9cf83cebcceb5eda080656469746564", "hex");
  const cases: [id: string, about: string, payload: Uint8Array | string, codes: number[]][] = [
    ["7.3.1", "nothing", "", [1005, 1000]],
    ["7.3.2", "one byte", "a", [1002]],
    ["7.3.3", "a code", closePayload(1000), [1000]],
    ["7.3.4", "a code and a reason", closePayload(1000, "Hello World!"), [1000]],
    ["7.3.5", "a reason of 123 bytes", closePayload(1000, "*".repeat(123)), [1000]],
    ["7.3.6", "a reason of 124 bytes", closePayload(1000, "*".repeat(124)), [1002]],
    ["7.5.1", "a reason that is no UTF-8", closePayload(1000, surrogate.toString("latin1")), [1002, 1007]],
  ];
  return cases.map(([id, about, payload, closes]) => ({
    id,
    about: `a close with ${about}`,
    frames: [close(payload)],
    replies: [],
    closes,
  }));
}

const VALID = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
const INVALID = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];
/** The documents say nothing of them; here they are errors. */
const UNKNOWN = [5000, 65535];

/** 7.7, 7.9, 7.13: codes. A valid one is sent back. */
function codes(): WireCase[] {
  const one = (id: string, code: number, closes: number[]): WireCase => ({
    id,
    about: `a close with code ${code}`,
    frames: [close(closePayload(code))],
    replies: [],
    closes,
  });
  return [
    ...VALID.map((code, at) => one(`7.7.${at + 1}`, code, [code])),
    ...INVALID.map((code, at) => one(`7.9.${at + 1}`, code, [1002])),
    ...UNKNOWN.map((code, at) => one(`7.13.${at + 1}`, code, [1002])),
  ];
}
