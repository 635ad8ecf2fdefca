import { expect, test } from "vitest";
import { HeaderList } from "../model/headers.ts";
import { contentLength } from "./content-length.ts";

test.each([
  [[], null],
  [["0"], 0],
  [["42"], 42],
  [["007"], 7],
  [["999999999999999"], 999_999_999_999_999],
  [["5", "5"], 5],
  [["5, 5"], 5],
  [["5 ,\t5", "5"], 5],
])("reads Content-Length %j as %j", (values, length) => {
  expect(contentLength(HeaderList.from({ "Content-Length": values }))).toBe(length);
});

test.each([
  [[""]],
  [["-1"]],
  [["+1"]],
  [["1.0"]],
  [["1e3"]],
  [["0x10"]],
  [[" "]],
  [["1 2"]],
  [["5,"]],
  [[",5"]],
  [["5", "6"]],
  [["5, 05"]],
  [["5, 6"]],
  [["9999999999999999"]],
  [["\u0661"]],
  [["five"]],
] as [string[]][])("R-C9: refuses Content-Length %j", (values) => {
  const headers = HeaderList.fromWire(values.flatMap((value) => ["Content-Length", value]));
  expect(() => contentLength(headers)).toThrow(expect.objectContaining({ code: "GW_CONTENT_LENGTH", status: 400 }));
  expect(() => contentLength(headers, 502)).toThrow(expect.objectContaining({ status: 502 }));
});
