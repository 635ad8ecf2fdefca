import { expect, expectTypeOf, test } from "vitest";
import { type Immutable, type JsonValue, toJsonValue } from "./json-value.ts";

test("copies JSON values and freezes the copy, all the way down", () => {
  const given = { a: [1, { b: null }], c: "x", d: true, e: undefined };
  const copy = toJsonValue(given, "it") as { a: [number, { b: null }] };
  expect(copy).toEqual({ a: [1, { b: null }], c: "x", d: true });
  given.a.push(2);
  expect(copy.a).toHaveLength(2);
  expect(() => {
    copy.a[1].b = null;
  }).toThrow(TypeError);
});

test("a key named __proto__ stays a key", () => {
  const copy = toJsonValue(JSON.parse('{"__proto__":{"admin":true}}'), "it") as object;
  expect(Object.keys(copy)).toEqual(["__proto__"]);
  expect((copy as { admin?: boolean }).admin).toBe(undefined);
});

const cycle: { self?: unknown } = {};
cycle.self = cycle;

test.each([
  ["it.when", { when: new Date(0) }, "Date"],
  ["it[1]", [1, new Map()], "Map"],
  ["it.f", { f: () => 1 }, "function"],
  ["it.n", { n: Number.NaN }, "NaN"],
  ["it.n", { n: 1n }, "bigint"],
  ["it[0]", [undefined], "undefined"],
  ["it.self", cycle, "nested too deep"],
])("names the place of what JSON cannot carry: %s", (place, value, found) => {
  expect(() => toJsonValue(value, "it")).toThrow(
    expect.objectContaining({
      code: "GW_SESSION_VALUE",
      message: expect.stringMatching(new RegExp(`${place.replace(/[[\].]/g, "\\$&")}.* is .*${found}`)),
    }),
  );
});

test("Immutable makes every part read-only and leaves what it cannot know", () => {
  expectTypeOf<Immutable<{ a: string[]; b?: { c: number } }>>().toEqualTypeOf<{
    readonly a: readonly string[];
    readonly b?: { readonly c: number };
  }>();
  expectTypeOf<Immutable<JsonValue>>().toEqualTypeOf<JsonValue>();
  expectTypeOf<Immutable<unknown>>().toEqualTypeOf<unknown>();
  expectTypeOf<Immutable<"a" | 1>>().toEqualTypeOf<"a" | 1>();
});
