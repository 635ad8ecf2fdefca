// Cases 1 to 5 and 10: framing, pings, reserved bits, opcodes, fragments.
import type { Reply, WireCase } from "./case.ts";
import { BINARY, CONTINUATION, type FrameParts, PING, PONG, TEXT } from "./frames.ts";

const PROTOCOL_ERROR = [1002];
const HELLO = "Hello, world!";
const OCTETS = "\x00\xff\xfe\xfd\xfc\xfb\x00\xff";

/** Cases 1 to 5 and 10 of the list. */
export function framingCases(): WireCase[] {
  return [...messages(), ...pings(), ...reservedBits(), ...reservedOpcodes(), ...fragments(), many()];
}

/** 1.1 and 1.2: messages of every kind of length. */
function messages(): WireCase[] {
  const sizes = [0, 125, 126, 127, 128, 65_535, 65_536, 65_536];
  return [TEXT, BINARY].flatMap((opcode, kind) =>
    sizes.map((size, at): WireCase => {
      const payload = (opcode === TEXT ? "*" : "\xfe").repeat(size);
      return {
        id: `1.${kind + 1}.${at + 1}`,
        about: `a message of ${size} bytes${at === 7 ? " in pieces of 997" : ""}`,
        frames: [{ opcode, payload }],
        replies: [[opcode === TEXT ? "text" : "binary", payload]],
        ...(at === 7 ? { chop: 997 } : {}),
      };
    }),
  );
}

/** 2: pings are answered, unasked pongs are not. */
function pings(): WireCase[] {
  const ping = (payload = ""): FrameParts => ({ opcode: PING, payload });
  const pong = (payload = ""): Reply => ["pong", payload];
  const ten = Array.from({ length: 10 }, (_, at) => `payload-${at}`);
  const unasked: FrameParts = { opcode: PONG, payload: "unsolicited pong payload" };
  const long = "\xfe".repeat(125);
  return [
    { id: "2.1", about: "a ping", frames: [ping()], replies: [pong()] },
    { id: "2.2", about: "a ping with text", frames: [ping(HELLO)], replies: [pong(HELLO)] },
    { id: "2.3", about: "a ping with octets", frames: [ping(OCTETS)], replies: [pong(OCTETS)] },
    { id: "2.4", about: "a ping of 125 bytes", frames: [ping(long)], replies: [pong(long)] },
    { id: "2.5", about: "a ping of 126 bytes", frames: [ping(`${long}x`)], replies: [], closes: PROTOCOL_ERROR },
    { id: "2.6", about: "a ping byte by byte", frames: [ping(long)], replies: [pong(long)], chop: 1 },
    { id: "2.7", about: "an unasked pong", frames: [{ opcode: PONG }], replies: [] },
    { id: "2.8", about: "an unasked pong with text", frames: [unasked], replies: [] },
    {
      id: "2.9",
      about: "an unasked pong, then a ping",
      frames: [unasked, ping("ping payload")],
      replies: [pong("ping payload")],
    },
    { id: "2.10", about: "ten pings", frames: ten.map(ping), replies: ten.map(pong) },
    { id: "2.11", about: "ten pings byte by byte", frames: ten.map(ping), replies: ten.map(pong), chop: 1 },
  ];
}

/** 3: reserved bits without an extension. */
function reservedBits(): WireCase[] {
  return [1, 2, 3, 4, 5, 6, 7].map((reserved): WireCase => {
    const isAlone = reserved === 1 || reserved > 4;
    const opcode = reserved === 5 ? BINARY : reserved === 6 ? PING : reserved === 7 ? 8 : TEXT;
    const bad: FrameParts = { opcode, payload: reserved === 7 ? "" : HELLO, reserved };
    return {
      id: `3.${reserved}`,
      about: `reserved bits ${reserved}`,
      ...failing([bad], isAlone),
      ...(reserved === 3 ? { chop: 0 } : reserved === 4 ? { chop: 1 } : {}),
    };
  });
}

/** 4: opcodes that mean nothing. */
function reservedOpcodes(): WireCase[] {
  return [3, 11].flatMap((first, group) =>
    [0, 1, 2, 3, 4].map((step): WireCase => {
      const bad: FrameParts = {
        opcode: first + step,
        payload: step === 1 || step === 3 ? "reserved opcode payload" : "",
      };
      return {
        id: `4.${group + 1}.${step + 1}`,
        about: `opcode ${first + step}`,
        ...failing([bad], step < 2),
        ...(step === 4 ? { chop: 1 } : {}),
      };
    }),
  );
}

/** What fails the connection, alone or between a message and a ping. The echo may come too late (NON-STRICT in the list). */
function failing(bad: FrameParts[], isAlone: boolean): Pick<WireCase, "frames" | "replies" | "closes" | "mayMissFrom"> {
  if (isAlone) return { frames: bad, replies: [], closes: PROTOCOL_ERROR };
  return {
    frames: [{ opcode: TEXT, payload: HELLO }, ...bad, { opcode: PING }],
    replies: [["text", HELLO]],
    closes: PROTOCOL_ERROR,
    mayMissFrom: 0,
  };
}

const part = (opcode: number, at: number, isFinal: boolean): FrameParts => ({
  opcode,
  payload: `fragment${at}`,
  isFinal,
});
const first = part(TEXT, 1, false);
const last = part(CONTINUATION, 2, true);
const JOINED: Reply = ["text", "fragment1fragment2"];

/** 5: what may be cut into fragments, and how. */
function fragments(): WireCase[] {
  const ping: FrameParts = { opcode: PING, payload: "ping payload" };
  const lone = (isFinal: boolean): FrameParts => ({
    opcode: CONTINUATION,
    payload: "non-continuation payload",
    isFinal,
  });
  const hello: FrameParts = { opcode: TEXT, payload: HELLO };
  const cut = (opcode: number): FrameParts[] => [part(opcode, 1, false), last];
  const fails = { replies: [], closes: PROTOCOL_ERROR };
  const pongFirst: Reply[] = [["pong", "ping payload"], JOINED];
  const chops = [undefined, 0, 1] as const;
  /** The same frames in one write, frame by frame, byte by byte. */
  const each = (from: number, about: string, rest: Omit<WireCase, "id" | "about">): WireCase[] =>
    chops.map((chop, at) => ({ id: `5.${from + at}`, about, ...rest, ...(chop === undefined ? {} : { chop }) }));
  const twice: FrameParts[] = [first, last, part(CONTINUATION, 3, false), part(TEXT, 4, true)];
  return [
    { id: "5.1", about: "a ping in fragments", frames: cut(PING), ...fails },
    { id: "5.2", about: "a pong in fragments", frames: cut(PONG), ...fails },
    ...each(3, "a text in two fragments", { frames: [first, last], replies: [JOINED] }),
    ...each(6, "a ping between two fragments", { frames: [first, ping, last], replies: pongFirst }),
    ...each(9, "the end of nothing", { frames: [lone(true), hello], ...fails }),
    ...each(12, "a fragment of nothing", { frames: [lone(false), hello], ...fails }),
    {
      id: "5.15",
      about: "a fragment after the end",
      frames: twice,
      replies: [JOINED],
      closes: PROTOCOL_ERROR,
      mayMissFrom: 0,
    },
    { id: "5.16", about: "fragments that never began", frames: [lone(false), hello, lone(false), hello], ...fails },
    { id: "5.17", about: "ends that never began", frames: [lone(true), hello, lone(true), hello], ...fails },
    { id: "5.18", about: "a text inside a text", frames: [first, part(TEXT, 2, true)], ...fails },
    ...pingsInside(),
  ];
}

/** 5.19, 5.20: five fragments with two pings among them. */
function pingsInside(): WireCase[] {
  const pings = ["pongme 1!", "pongme 2!"];
  const piece = (at: number): FrameParts => part(at === 1 ? TEXT : CONTINUATION, at, at === 5);
  const [one, two] = pings.map((payload): FrameParts => ({ opcode: PING, payload })) as [FrameParts, FrameParts];
  const frames = [piece(1), piece(2), one, piece(3), piece(4), two, piece(5)];
  const text = [1, 2, 3, 4, 5].map((at) => `fragment${at}`).join("");
  const replies: Reply[] = [
    ["pong", "pongme 1!"],
    ["pong", "pongme 2!"],
    ["text", text],
  ];
  return [
    { id: "5.19", about: "pings among five fragments", frames, replies },
    { id: "5.20", about: "pings among five fragments, frame by frame", frames, replies, chop: 0 },
  ];
}

/** 10.1.1: one message in many fragments. */
function many(): WireCase {
  const payload = "*".repeat(65_536);
  const count = Math.ceil(payload.length / 1_300);
  const frames = Array.from({ length: count }, (_, at) => ({
    opcode: at === 0 ? TEXT : CONTINUATION,
    payload: payload.slice(at * 1_300, (at + 1) * 1_300),
    isFinal: at === count - 1,
  }));
  return { id: "10.1.1", about: "64 KiB in fragments of 1,300", frames, replies: [["text", payload]] };
}
