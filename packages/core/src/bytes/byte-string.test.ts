import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import {
  byteStringToBytes,
  bytesToByteString,
  decodeText,
  encodeText,
  toBytes,
  toText,
  toTextStrict,
} from "./byte-string.ts";

const table = [
  { text: "", byteString: "" },
  { text: "plain", byteString: "plain" },
  { text: "é", byteString: "\u00c3\u00a9" },
  { text: "안녕", byteString: "\u00ec\u0095\u0088\u00eb\u0085\u0095" },
  { text: "🙂", byteString: "\u00f0\u009f\u0099\u0082" },
  { text: "\ufeffmark", byteString: "\u00ef\u00bb\u00bfmark" },
] as const;

test.each(table)("writes the text $text as the bytes of its UTF-8 and reads it back", ({ text, byteString }) => {
  expect(toBytes(text)).toBe(byteString);
  expect(toText(byteString)).toBe(text);
  expect(toTextStrict(byteString)).toBe(text);
  expect(decodeText(encodeText(text))).toBe(text);
});

test("reads bytes that are not UTF-8 as U+FFFD, or as null when strict", () => {
  expect(toText("caf\u00e9")).toBe("caf\ufffd");
  expect(toTextStrict("caf\u00e9")).toBeNull();
});

test("writes a lone surrogate as U+FFFD", () => {
  expect(toText(toBytes("\ud800"))).toBe("\ufffd");
});

const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte);

describe.each([
  { runtime: "with Node's Buffer", stub: false },
  { runtime: "without it", stub: true },
])("$runtime", ({ stub }) => {
  const load = async (): Promise<typeof import("./byte-string.ts")> => {
    if (!stub) return { byteStringToBytes, bytesToByteString } as typeof import("./byte-string.ts");
    vi.resetModules();
    vi.stubGlobal("Buffer", undefined);
    try {
      return await import("./byte-string.ts");
    } finally {
      vi.unstubAllGlobals();
    }
  };

  test("keeps each of the 256 bytes, both ways", async () => {
    const module = await load();
    const byteString = module.bytesToByteString(everyByte);
    expect([...byteString].map((char) => char.charCodeAt(0))).toEqual([...everyByte]);
    expect(module.byteStringToBytes(byteString)).toEqual(everyByte);
  });

  test.each([0, 1, 127, 128, 129, 8191, 8192, 8193, 100_000])("keeps %i bytes, both ways", async (length) => {
    const module = await load();
    const bytes = Uint8Array.from({ length }, (_, at) => (at * 7) & 0xff);
    const again = module.byteStringToBytes(module.bytesToByteString(bytes));
    expect(again).toEqual(bytes);
    expect(Object.getPrototypeOf(again)).toBe(Uint8Array.prototype);
  });
});

test("text survives the way through bytes, whatever it is", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), (text) => {
      expect(toTextStrict(toBytes(text))).toBe(text);
    }),
  );
});

test("reads a view as its own bytes, not those of the buffer below", () => {
  expect(bytesToByteString(encodeText("abcdef").subarray(2, 4))).toBe("cd");
});
