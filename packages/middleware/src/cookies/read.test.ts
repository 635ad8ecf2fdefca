import { expect, test } from "vitest";
import { findCookie, readCookies } from "./read.ts";

const headers: [header: string | null, expected: Record<string, string>][] = [
  [null, {}],
  ["", {}],
  ["a=1", { a: "1" }],
  ["a=1; b=2", { a: "1", b: "2" }],
  ["a=1;b=2", { a: "1", b: "2" }],
  [" a = 1 ;\tb=2 ", { a: "1", b: "2" }],
  ["a=b=c", { a: "b=c" }],
  ["a=; b", { a: "" }],
  ["a=1; a=2", { a: "1" }],
  ['q="x y"', { q: '"x y"' }],
  ["a=%E2%82%AC; b=%zz", { a: "€", b: "%zz" }],
  ["a=\u00e2\u0082\u00ac", { a: "€" }],
  ["; ;a=1", { a: "1" }],
  ["sid2=x; sid=y; xsid=z", { sid2: "x", sid: "y", xsid: "z" }],
];

test.each(headers)("reads %j", (header, expected) => {
  expect(Object.fromEntries(readCookies(header))).toEqual(expected);
});

test.each(headers)("finds each cookie of %j alone as it finds them together", (header, expected) => {
  for (const [name, value] of Object.entries(expected)) {
    const found = findCookie(header, name);
    expect(readCookies(`${name}=${found}`).get(name)).toBe(value);
  }
  expect(findCookie(header, "absent")).toBe(null);
});

test("R-M6: names of the prototype are cookies like any other", () => {
  const cookies = readCookies("__proto__=1; constructor=2; toString=3");
  expect([...cookies]).toEqual([
    ["__proto__", "1"],
    ["constructor", "2"],
    ["toString", "3"],
  ]);
  expect(readCookies("a=1").get("constructor")).toBe(undefined);
});

test("does not take the end of another name, or a value, for the cookie", () => {
  expect(findCookie("xsid=1; a=sid=2; sid=3", "sid")).toBe("3");
  expect(findCookie("a=b sid=2", "sid")).toBe(null);
  expect(findCookie("sidx=1", "sid")).toBe(null);
});
