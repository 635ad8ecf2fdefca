import { expect, test } from "vitest";
import { queryArguments } from "./query-arguments.ts";

const get = (query: string): string[] => queryArguments({ method: "GET", query });

test("words are split at plus signs and decoded", () => {
  expect(get("one+two%20words+%EC%95%88")).toEqual(["one", "two words", "\xec\x95\x88"]);
});

test.each(["", "a=b", "a+b=c"])("a form query %j gives no arguments", (query) => {
  expect(get(query)).toEqual([]);
});

test("an encoded equals sign is part of a word", () => {
  expect(get("a%3Db")).toEqual(["a=b"]);
});

test.each(["-s", "ok+-s", "%2Ds", "+-d+allow_url_include", "%20-s", "a%00b", "a%0ab", "%2Fetc"])(
  "R-C4: no word of %j becomes an argument, since one could be read as an option or holds a control byte",
  (query) => {
    expect(get(query)).toEqual([]);
  },
);

test("a POST gives no arguments", () => {
  expect(queryArguments({ method: "POST", query: "word" })).toEqual([]);
});
