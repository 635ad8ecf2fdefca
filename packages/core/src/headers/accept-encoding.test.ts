import { expect, test } from "vitest";
import { acceptedEncodings } from "./accept-encoding.ts";

test.each<[string | null, string[]]>([
  [null, []],
  ["", []],
  ["gzip", ["gzip"]],
  ["gzip, deflate, br, zstd", ["br", "zstd", "gzip"]],
  ["GZIP;Q=1.0", ["gzip"]],
  ["x-gzip", ["gzip"]],
  ["br;q=0.1, gzip", ["gzip", "br"]],
  ["br;q=0, gzip;q=0.001", ["gzip"]],
  ["*", ["br", "zstd", "gzip"]],
  ["*;q=0.5, zstd", ["zstd", "br", "gzip"]],
  ["gzip;q=0, *", ["br", "zstd"]],
  ["identity, *;q=0", []],
  ["br; q = 0.5 , gzip;q=0.4", ["br", "gzip"]],
  ["br;q=high, gzip", ["gzip"]],
  ["br;q=-1, gzip;q=2", []],
])("Accept-Encoding %j takes %j", (field, expected) =>
  expect(acceptedEncodings(field, ["br", "zstd", "gzip"])).toEqual(expected),
);
