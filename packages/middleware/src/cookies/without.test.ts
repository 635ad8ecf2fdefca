import { HeaderList } from "@gw/core";
import { expect, test } from "vitest";
import { withoutCookies } from "./without.ts";

const without = (...lines: [name: string, value: string][]): (readonly [string, string])[] => [
  ...withoutCookies(HeaderList.from(lines), (name, value) => name === "sid" && value !== "app"),
];

const fields: [field: string, left: string | null][] = [
  ["sid=1", null],
  ["sid=1; sid=2;", null],
  ["a=1; sid=1", "a=1"],
  ["sid=1; a=1", "a=1"],
  ["sid=1;a=1", "a=1"],
  ["a=1; sid=1; b=2", "a=1; b=2"],
  ["a=1;sid=1;b=2; sid=3", "a=1;b=2"],
  [' a = "x y" ;\tsid = 1 ; b=%zz=; c;; d', ' a = "x y" ; b=%zz=; c;; d'],
  ["sid=app; sid=1", "sid=app"],
  ["xsid=1; sidx=2; a=sid=3; sid; SID=4", "xsid=1; sidx=2; a=sid=3; sid; SID=4"],
  ["a=\u00e2\u0082\u00ac; sid=1", "a=\u00e2\u0082\u00ac"],
  ["", ""],
];

test.each(fields)("of %j stays %j", (field, left) => {
  expect(without(["Cookie", field])).toEqual(left === null ? [] : [["Cookie", left]]);
});

test("keeps order, case and number of the lines; a line of which nothing is left goes", () => {
  const given: [string, string][] = [
    ["Host", "sid=1"],
    ["cookie", "a=1"],
    ["Cookie", "sid=1"],
    ["X-Cookie", "sid=1"],
    ["COOKIE", "sid=1; b=2"],
  ];
  expect(without(...given)).toEqual([
    ["Host", "sid=1"],
    ["cookie", "a=1"],
    ["X-Cookie", "sid=1"],
    ["COOKIE", "b=2"],
  ]);
});

test("is the same list when nothing is taken out", () => {
  for (const headers of [HeaderList.empty, HeaderList.from({ Cookie: "a=1; sidx=2" })]) {
    expect(withoutCookies(headers, (name) => name === "sid")).toBe(headers);
  }
});
