import { describe, expect, test } from "vitest";
import { MarshalReader } from "./marshal-reader.ts";
import { type MarshalValue, MarshalWriter } from "./marshal-writer.ts";

const hexOf = (write: (marshal: MarshalWriter) => unknown): string => {
  const marshal = new MarshalWriter();
  write(marshal);
  return marshal.take().toString("hex");
};
const reader = (hex: string): MarshalReader => new MarshalReader(Buffer.from(hex, "hex"));

describe("the writer", () => {
  test.each<[string, (marshal: MarshalWriter) => unknown, string]>([
    ["None", (m) => m.none(), "4e"],
    ["True", (m) => m.boolean(true), "54"],
    ["an int", (m) => m.int(-2), "69feffffff"],
    ["short ASCII", (m) => m.text("abc"), "7a03616263"],
    ["long ASCII", (m) => m.text("a".repeat(48)), `6130000000${"61".repeat(48)}`],
    ["a str of chars above 7F", (m) => m.text("é"), "7502000000c3a9"],
    ["a long str of chars above 7F", (m) => m.text("é".repeat(48)), `7560000000${"c3a9".repeat(48)}`],
    ["bytes of a byte string", (m) => m.byteString("a\u00ff"), "730200000061ff"],
    ["bytes", (m) => m.bytes(Uint8Array.of(1, 2)), "73020000000102"],
    ["a lower-case name", (m) => m.lowerName("X-A"), "7303000000782d61"],
    ["a tuple", (m) => [m.tuple(1), m.none()], "29014e"],
    ["a list", (m) => m.value([null]), "5b010000004e"],
    ["a dict", (m) => m.value({ a: 1 }), "7b7a0161690100000030"],
    ["a float", (m) => m.value(0.5), "67000000000000e03f"],
    ["a large integer as float", (m) => m.value(2 ** 31), "67000000000000e041"],
    [
      "what has no counterpart",
      (m) => m.value({ a: undefined, b: (() => {}) as unknown as MarshalValue }),
      "7b7a01624e30",
    ],
  ])("writes %s", (_what, write, hex) => {
    expect(hexOf(write)).toBe(hex);
  });

  test("writes a name that it remembers like the first time, also after the buffer has grown", () => {
    const marshal = new MarshalWriter();
    marshal.name("PATH_INFO");
    const first = marshal.take().toString("hex");
    marshal.text("x".repeat(100_000));
    marshal.take();
    marshal.name("PATH_INFO");
    expect(marshal.take().toString("hex")).toBe(first);
  });

  test("stops at values that contain themselves", () => {
    const loop: Record<string, MarshalValue> = {};
    loop.self = loop;
    expect(hexOf((m) => m.value(loop)).length).toBeLessThan(1_000);
  });
});

describe("the reader", () => {
  // What CPython 3.8 to 3.14 write alike with marshal.dumps(value, 2).
  test("reads header pairs of str and of bytes, in tuples and lists", () => {
    const text = "5b0100000028020000007501000000617502000000c3a9";
    const bytes = "28010000005b020000007301000000617301000000ff";
    expect(reader(text).pairs()).toEqual(["a", "é"]);
    expect(reader(bytes).pairs()).toEqual(["a", "\u00ff"]);
  });

  test("tells text messages from binary ones", () => {
    expect(reader("7502000000c3a9").message()).toBe("é");
    expect(reader("7302000000c3a9").message()).toEqual(Buffer.from("é"));
  });

  test("reads facts", () => {
    expect(reader("7b750100000061690100000075010000006254750100000063 4e30".replace(" ", "")).facts()).toEqual({
      a: 1,
      b: true,
      c: null,
    });
  });

  test.each<[string, (marshal: MarshalReader) => unknown, string]>([
    ["another kind of value", (m) => m.int(), "4e"],
    ["no truth value", (m) => m.boolean(), "4e"],
    ["no bytes", (m) => m.bytes(), "7501000000"],
    ["no string", (m) => m.text(), "6900000000"],
    ["a length beyond the end", (m) => m.bytes(), "73ffffffff00"],
    ["a count beyond the end", (m) => m.list(), "5bffffff7f"],
    ["an end inside a length", (m) => m.text(), "730100"],
    ["an end before a value", (m) => m.int(), ""],
    ["a header that is no pair", (m) => m.pairs(), "5b01000000280100000075010000006161"],
    ["no dict", (m) => m.facts(), "5b00000000"],
  ])("refuses %s", (_what, read, hex) => {
    expect(() => read(reader(hex))).toThrow(expect.objectContaining({ code: "GW_PYTHON_PROTOCOL", status: 502 }));
  });
});
