// Cases 6: text is UTF-8, whole and in fragments that cut characters (RFC 6455 §8.1).
import type { WireCase } from "./case.ts";
import { CONTINUATION, type FrameParts, TEXT } from "./frames.ts";

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(" ", ""), "hex");
const ascii = (text: string): string => Buffer.from(text).toString("hex");

/** κόσμε */
const KOSME = "ceba e1bdb9 cf83 cebc ceb5";
const EDITED = ascii("edited");
/** Exotic, and right. */
const EXOTIC = Buffer.from("Hello-µ@ßöäüàá-UTF-8!!");

/** Cases 6 of the list. */
export function utf8Cases(): WireCase[] {
  return [...empty(), ...valid(), ...invalid(), ...late(), ...sequences()];
}

function texts(payloads: readonly Uint8Array[]): FrameParts[] {
  const last = payloads.length - 1;
  return payloads.map((payload, at) => ({ opcode: at === 0 ? TEXT : CONTINUATION, payload, isFinal: at === last }));
}

const everyByte = (payload: Buffer): Buffer[] => Array.from(payload, (byte) => Buffer.from([byte]));

function empty(): WireCase[] {
  const nothing = Buffer.alloc(0);
  const middle = Buffer.from("middle frame payload");
  return [
    { id: "6.1.1", about: "an empty text", frames: texts([nothing]), replies: [["text", ""]] },
    {
      id: "6.1.2",
      about: "three empty fragments",
      frames: texts([nothing, nothing, nothing]),
      replies: [["text", ""]],
    },
    {
      id: "6.1.3",
      about: "one of three fragments not empty",
      frames: texts([nothing, middle, nothing]),
      replies: [["text", middle]],
    },
  ];
}

function valid(): WireCase[] {
  const half = Buffer.byteLength("Hello-µ@ßöä");
  const replies = [["text", EXOTIC]] as const;
  const kosme = bytes(KOSME);
  return [
    { id: "6.2.1", about: "valid text", frames: texts([EXOTIC]), replies },
    {
      id: "6.2.2",
      about: "valid text, cut between characters",
      frames: texts([EXOTIC.subarray(0, half), EXOTIC.subarray(half)]),
      replies,
    },
    { id: "6.2.3", about: "valid text, a fragment for each byte", frames: texts(everyByte(EXOTIC)), replies },
    {
      id: "6.2.4",
      about: "valid text, a fragment for each byte",
      frames: texts(everyByte(kosme)),
      replies: [["text", kosme]],
    },
  ];
}

function invalid(): WireCase[] {
  const text = bytes(`${KOSME} eda080 ${EDITED}`);
  const fails = { replies: [], closes: [1007] };
  return [
    { id: "6.3.1", about: "a surrogate inside", frames: texts([text]), ...fails },
    { id: "6.3.2", about: "a surrogate inside, a fragment for each byte", frames: texts(everyByte(text)), ...fails },
  ];
}

/** 6.4: the fault comes early in a message. It is refused when the message is whole (NON-STRICT in the list). */
function late(): WireCase[] {
  const whole = [bytes(KOSME), bytes("f4908080"), bytes(EDITED)];
  const cut = [bytes(`${KOSME} f4`), bytes("90"), bytes(`8080 ${EDITED}`)];
  const fails = { replies: [], closes: [1007] };
  return [
    { id: "6.4.1", about: "a fault in the second of three fragments", frames: texts(whole), ...fails, chop: 0 },
    { id: "6.4.2", about: "a fault in the second byte of a character", frames: texts(cut), ...fails, chop: 0 },
    {
      id: "6.4.3",
      about: "a fault in the second of three writes",
      frames: texts([Buffer.concat(whole)]),
      ...fails,
      chop: 17,
    },
    { id: "6.4.4", about: "a fault in a write of one byte", frames: texts([Buffer.concat(cut)]), ...fails, chop: 1 },
  ];
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, at) => from + at);
const hex = (byte: number): string => byte.toString(16).padStart(2, "0");
/** Each start byte with a space behind it. */
const lonely = (from: number, to: number): string =>
  range(from, to)
    .map((byte) => `${hex(byte)}20`)
    .join("");

const CUT_OFF = ["c0", "e080", "f08080", "f8808080", "fc80808080", "df", "efbf", "f7bfbf", "fbbfbfbf", "fdbfbfbfbf"];
/** U+FFFE, U+FFFF and the last two of every further plane: no characters, and valid. */
const NONCHARACTERS = range(0, 17).flatMap((plane) =>
  [0xfffe, 0xffff].map((low) => Buffer.from(String.fromCodePoint(plane * 0x10000 + low)).toString("hex")),
);

/** 6.5 to 6.23, by what they show: byte sequences, and those that are valid (`+`). */
const SEQUENCES: readonly (readonly [about: string, sequences: readonly string[]])[] = [
  [
    "valid",
    ["24", "c2a2", "e282ac", "f0a4ada2"].map((one) => `+${ascii("hello")}${one}${ascii("world")}`).concat(`+${KOSME}`),
  ],
  [
    "prefixes",
    range(1, 12).map(
      (length) => `${[2, 5, 7, 9, 11].includes(length) ? "+" : ""}${bytes(KOSME).subarray(0, length).toString("hex")}`,
    ),
  ],
  ["first of a length", ["+00", "+c280", "+e0a080", "+f0908080"]],
  ["first of lengths that do not exist", ["f888808080", "fc8480808080"]],
  ["last of a length", ["+7f", "+dfbf", "+efbfbf", "+f48fbfbf"]],
  ["last of lengths that do not exist", ["f7bfbfbf", "fbbfbfbfbf", "fdbfbfbfbfbf"]],
  ["boundaries", ["+ed9fbf", "+ee8080", "+efbfbd", "+f48fbfbf", "f4908080"]],
  [
    "continuations of nothing",
    ["80", "bf", "80bf", "80bf80", "80bf80bf", "80bf80bf80", "80bf80bf80bf", range(0x80, 0xbf).map(hex).join("")],
  ],
  [
    "starts of nothing",
    [lonely(0xc0, 0xdf), lonely(0xe0, 0xef), lonely(0xf0, 0xf7), lonely(0xf8, 0xfb), lonely(0xfc, 0xfd)],
  ],
  ["last byte missing", CUT_OFF],
  ["cut characters in a row", [CUT_OFF.join("")]],
  ["impossible bytes", ["fe", "ff", "fefeffff"]],
  ["overlong slash", ["c0af", "e080af", "f08080af", "f8808080af", "fc80808080af"]],
  ["longest overlong", ["c1bf", "e09fbf", "f08fbfbf", "f887bfbfbf", "fc83bfbfbfbf"]],
  ["overlong NUL", ["c080", "e08080", "f0808080", "f880808080", "fc8080808080"]],
  ["surrogates", ["eda080", "edadbf", "edae80", "edafbf", "edb080", "edbe80", "edbfbf"]],
  [
    "pairs of surrogates",
    ["eda080", "edadbf", "edae80", "edafbf"].flatMap((high) => [`${high}edb080`, `${high}edbfbf`]),
  ],
  ["noncharacters", NONCHARACTERS.map((one) => `+${one}`)],
  ["specials", ["b9", "ba", "bb", "bc", "bd", "be", "bf"].map((last) => `+efbf${last}`)],
];

function sequences(): WireCase[] {
  return SEQUENCES.flatMap(([about, list], group) =>
    list.map((one, at): WireCase => {
      const payload = bytes(one.replace("+", ""));
      return {
        id: `6.${group + 5}.${at + 1}`,
        about,
        frames: texts([payload]),
        ...(one.startsWith("+") ? { replies: [["text", payload]] } : { replies: [], closes: [1007] }),
      };
    }),
  );
}
