import { HeaderList } from "@gw/core";
import { expect, test } from "vitest";
import { notShared } from "./cache-control.ts";

test.each([
  [null, "no-store"],
  ["no-store", "no-store"],
  ["private, max-age=60", "private, max-age=60"],
  ["max-age=60, Private", "max-age=60, Private"],
  ["public, max-age=31536000, immutable", "private, max-age=31536000, immutable"],
  ["s-maxage=60", "private"],
  ["max-age=60", "private, max-age=60"],
  ['private="set-cookie", max-age=5', "private, max-age=5"],
])("R-M8: Cache-Control %j becomes %j", (given, expected) => {
  const headers = given === null ? HeaderList.empty : HeaderList.from({ "Cache-Control": given });
  expect(notShared(headers).getAll("cache-control")).toEqual([expected]);
});
