import { isGatewayError } from "@gw/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ParamsBuffer, ParamsDecoder, writeParams } from "./params.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
const long = "x".repeat(128);

const cases: [title: string, pairs: [string, string][], bytes: Uint8Array][] = [
  ["no pairs", [], hex("")],
  ["an empty value", [["A", ""]], hex("01 00 41")],
  ["an empty name", [["", "b"]], hex("00 01 62")],
  ["short lengths", [["AB", "c"]], hex("02 01 4142 63")],
  ["127 in one byte", [["A", "x".repeat(127)]], Buffer.concat([hex("01 7f 41"), Buffer.alloc(127, "x")])],
  ["128 in four bytes", [["A", long]], Buffer.concat([hex("01 80000080 41"), Buffer.alloc(128, "x")])],
  ["a long name", [[long, "v"]], Buffer.concat([hex("80000080 01"), Buffer.alloc(128, "x"), hex("76")])],
  ["bytes above 7F", [["A", "\u00e9\u00ff"]], hex("01 02 41 e9ff")],
];

describe("name-value pairs", () => {
  test.each(cases)("R-F1: %s are written and read as the specification says", (_title, pairs, bytes) => {
    expect(Buffer.from(writeParams(pairs)).toString("hex")).toBe(Buffer.from(bytes).toString("hex"));
    expect([...new ParamsDecoder().decode(bytes)]).toEqual(pairs);
  });

  test("a stream reads the same below and above the size at which values are read one by one", () => {
    const short: [string, string][] = [
      ["A", "caf\u00e9"],
      ["B", ""],
      ["C", long],
    ];
    const filler: [string, string] = ["FILLER", "\u00ff".repeat(5_000)];
    expect([...new ParamsDecoder().decode(writeParams(short))]).toEqual(short);
    expect([...new ParamsDecoder().decode(writeParams([...short, filler]))]).toEqual([...short, filler]);
  });

  test("R-F1: a short length may be written in four bytes", () => {
    expect([...new ParamsDecoder().decode(hex("80000001 80000001 41 62"))]).toEqual([["A", "b"]]);
  });

  test("R-F7: a stream cut at any byte inside a pair is an error, never a shorter value", () => {
    const bytes = writeParams([["NAME", long]]);
    for (let length = 1; length < bytes.length; length++) {
      const cut = (): unknown => new ParamsDecoder().decode(bytes.subarray(0, length));
      expect(cut, String(length)).toThrow("ends inside a pair");
    }
  });

  test("R-F7: a length of almost 2 GiB asks for no memory", () => {
    expect(() => new ParamsDecoder().decode(hex("ffffffff ffffffff 41"))).toThrow(
      "a params stream of 9 bytes ends inside a pair",
    );
  });

  test("R-F10: a repeated name keeps its first value", () => {
    const bytes = writeParams([
      ["REMOTE_USER", "ann"],
      ["REMOTE_USER", "mallory"],
    ]);
    expect([...new ParamsDecoder().decode(bytes)]).toEqual([["REMOTE_USER", "ann"]]);
  });

  test("R-C1: a repeated header field has all of its values, as nginx before 1.23 sends it", () => {
    const bytes = writeParams([
      ["HTTP_X_ONE", "1"],
      ["HTTP_COOKIE", "a=1"],
      ["HTTP_X_ONE", "2"],
      ["HTTP_COOKIE", "b=2"],
    ]);
    expect([...new ParamsDecoder().decode(bytes)]).toEqual([
      ["HTTP_X_ONE", "1, 2"],
      ["HTTP_COOKIE", "a=1; b=2"],
    ]);
  });

  test("R-F8: more pairs or bytes than allowed are refused", () => {
    const three = writeParams([
      ["A", "1"],
      ["B", "2"],
      ["C", "3"],
    ]);
    expect(new ParamsDecoder({ maxPairs: 3 }).decode(three).size).toBe(3);
    expect(() => new ParamsDecoder({ maxPairs: 2 }).decode(three)).toThrow("more than 2 variables");
    const buffer = new ParamsBuffer({ maxBytes: 4 });
    buffer.push(new Uint8Array(4));
    expect(() => buffer.push(new Uint8Array(1))).toThrow("variables of more than 4 bytes");
  });

  test("one decoder reads streams whose names change from one to the next", () => {
    const decoder = new ParamsDecoder();
    const streams: [string, string][][] = [
      [
        ["A", "1"],
        ["LONGER_NAME", "2"],
      ],
      [
        ["B", "3"],
        ["LONGER_NAMF", "4"],
      ],
      [["LONGER_NAME", "5"]],
      [
        ["A", "6"],
        ["LONGER_NAME", "7"],
        ["C", "8"],
      ],
    ];
    for (const pairs of streams) expect([...decoder.decode(writeParams(pairs))]).toEqual(pairs);
  });

  test("any pairs survive the way there and back", () => {
    const text = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString("latin1"));
    const decoder = new ParamsDecoder();
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(text, text), { selector: ([name]) => name, maxLength: 12 }), (pairs) => {
        expect([...decoder.decode(writeParams(pairs))]).toEqual(pairs);
      }),
    );
  });

  test("R-F7: any bytes are pairs or a protocol error, nothing else", () => {
    const decoder = new ParamsDecoder();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          decoder.decode(bytes);
        } catch (error) {
          expect(isGatewayError(error, "GW_FCGI_PARAMS")).toBe(true);
        }
      }),
    );
  });
});
