import { expect, test } from "vitest";
import { findCookie, findCookies, readCookies } from "./read.ts";

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

// What user agents that follow RFC 6265bis can send, and what others may: the section says why it can be there.
const sections: [section: string, header: string, expected: Record<string, string>][] = [
  [
    "§4.2.1: pairs are joined by a semicolon and a space",
    "SID=31d4d96e407aad42; lang=en-US",
    { SID: "31d4d96e407aad42", lang: "en-US" },
  ],
  [
    "§4.2.2: equal names may come twice; servers do not rely on an order but the first",
    "a=inner; a=outer; b=1",
    { a: "inner", b: "1" },
  ],
  ["§5.6 step 4: quotes are part of the value", 'a="1"; b="; c=2', { a: '"1"', b: '"', c: "2" }],
  ["§5.6 step 3: only the first = divides", "a==; b=x=y=", { a: "=", b: "x=y=" }],
  [
    "§5.6 step 4: blanks around names and values are not theirs, those inside are",
    "a = x y ; b\t=\tz",
    { a: "x y", b: "z" },
  ],
  ["§5.7: a cookie without a name is sent as its value alone", "alone; a=1", { a: "1" }],
  ["§5.7: names are compared as they are", "Foo=1; foo=2; FOO=3", { Foo: "1", foo: "2", FOO: "3" }],
  ["§5.6: a comma ends nothing", "a=1,b=2; c=x, y=z", { a: "1,b=2", c: "x, y=z" }],
  ["§5.6: an empty value is one", "a=; b=", { a: "", b: "" }],
  ["§5.6: octets above 0x7F are octets", "a=\u00c3\u00a9", { a: "é" }],
  [
    "§4.1.1: every cookie-octet and every char of a token",
    "!#$%&'*+-.^_`|~9Az=!#$&'()*+-./:<=>?@[]^_`{|}~",
    { "!#$%&'*+-.^_`|~9Az": "!#$&'()*+-./:<=>?@[]^_`{|}~" },
  ],
  [
    "§4.1.3: prefixes are names like any other to who reads",
    "__Host-a=1; __Secure-b=2",
    { "__Host-a": "1", "__Secure-b": "2" },
  ],
  ["RFC 2965 of old: $Version is a cookie", "$Version=1; a=1; $Path=/", { $Version: "1", a: "1", $Path: "/" }],
  ["RFC 9113 §8.2.3: lines of HTTP/2, joined", "a=1; b=2; c=3", { a: "1", b: "2", c: "3" }],
];

test.each(sections)("R-M6: RFC 6265bis %s", (_section, header, expected) => {
  expect(Object.fromEntries(readCookies(header))).toEqual(expected);
  for (const [name, value] of Object.entries(expected)) {
    expect(readCookies(`${name}=${findCookie(header, name)}`).get(name)).toBe(value);
    expect(findCookies(header, name)[0]).toBe(findCookie(header, name));
  }
});

test("finds every cookie of a name, in order", () => {
  expect(findCookies("a=1; ba=2; a = 3 ;c=a=4; a=", "a")).toEqual(["1", "3", ""]);
  expect(findCookies("b=1", "a")).toEqual([]);
  expect(findCookies(null, "a")).toEqual([]);
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
