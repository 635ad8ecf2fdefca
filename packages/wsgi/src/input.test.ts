import { emptyBody, encodeText, memoryBody } from "@gw/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WsgiInput } from "./input.ts";

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const inputOf = (text: string): WsgiInput => new WsgiInput(memoryBody(encodeText(text)));

describe("wsgi.input", () => {
  test("read(size) gives exactly size bytes until the end, then fewer, then none", () => {
    const input = inputOf("Hello");
    expect([2, 2, 2, 2].map((size) => decode(input.read(size)))).toEqual(["He", "ll", "o", ""]);
  });

  test("read() and read(-1) give all that is left", () => {
    expect(decode(inputOf("Hello").read())).toBe("Hello");
    const input = inputOf("Hello");
    input.read(1);
    expect(decode(input.read(-1))).toBe("ello");
  });

  test("read(0) reads nothing", () => {
    const input = inputOf("Hello");
    expect([decode(input.read(0)), decode(input.read())]).toEqual(["", "Hello"]);
  });

  test("readline() gives a line with its end, or the first size bytes of it", () => {
    const input = inputOf("one\ntwo\n\nlast");
    expect(
      [input.readline(), input.readline(2), input.readline(), input.readline(), input.readline(), input.readline()].map(
        decode,
      ),
    ).toEqual(["one\n", "tw", "o\n", "\n", "last", ""]);
  });

  test("readlines() gives all lines, or as many as have about hint bytes", () => {
    expect(inputOf("a\nbb\nccc").readlines().map(decode)).toEqual(["a\n", "bb\n", "ccc"]);
    expect(inputOf("a\nbb\nccc").readlines(3).map(decode)).toEqual(["a\n", "bb\n"]);
  });

  test("iterates lines, and mixes with the other ways to read", () => {
    const input = inputOf("a\nbb\nccc\ndddd");
    expect(decode(input.readline())).toBe("a\n");
    expect(decode(input.read(1))).toBe("b");
    expect([...input].map(decode)).toEqual(["b\n", "ccc\n", "dddd"]);
  });

  test("gives empty bytes from an empty body, however often it is asked", () => {
    const input = new WsgiInput(emptyBody);
    expect([input.read(), input.read(5), input.readline()].map(({ length }) => length)).toEqual([0, 0, 0]);
    expect([input.readlines(), [...input]]).toEqual([[], []]);
  });

  test("reads lines that span many reads of the body", () => {
    const body = { ...memoryBody(encodeText("")), length: null, readSync: oneByOne("first line\nsecond") };
    const input = new WsgiInput(body);
    expect([...input].map(decode)).toEqual(["first line\n", "second"]);
  });

  test("says what it needs when the body cannot be read synchronously", () => {
    const { readSync: _, ...body } = memoryBody(encodeText("x"));
    expect(() => new WsgiInput(body).read()).toThrow(expect.objectContaining({ code: "GW_WSGI_INPUT" }));
  });

  test("loses and adds no byte, however it is read", () => {
    const step = fc.oneof(
      fc.record({ method: fc.constant("read" as const), size: fc.integer({ min: 1, max: 9 }) }),
      fc.record({ method: fc.constant("readline" as const), size: fc.integer({ min: -1, max: 9 }) }),
    );
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("a", "b", "\n"), maxLength: 60 }),
        fc.array(step, { minLength: 1 }),
        (text, steps) => {
          const input = inputOf(text);
          let read = "";
          for (const { method, size } of steps) read += decode(input[method](size));
          expect(read + decode(input.read())).toBe(text);
        },
      ),
    );
  });
});

function oneByOne(text: string): (maxBytes: number) => Uint8Array {
  const bytes = encodeText(text);
  let at = 0;
  return () => bytes.subarray(at, ++at);
}
