import { expect, test } from "vitest";
import { type HeaderInit, HeaderList } from "../model/headers.ts";
import { writeHttpDate } from "./http-date.ts";
import { evaluatePreconditions, rangeApplies, type Validators } from "./preconditions.ts";

const CHANGED = Date.UTC(2024, 0, 1, 12, 0, 0) + 250; // the field knows whole seconds only
const strong: Validators = { etag: '"a"', lastModifiedMs: CHANGED };
const weak: Validators = { etag: 'W/"a"', lastModifiedMs: CHANGED };
const none: Validators = { etag: null, lastModifiedMs: null };
const at = (shiftMs: number): string => writeHttpDate(CHANGED + shiftMs);

test.each<[string, HeaderInit, Validators, "proceed" | "not-modified" | "failed"]>([
  ["no condition", {}, strong, "proceed"],
  ["If-None-Match with the tag", { "If-None-Match": '"a"' }, strong, "not-modified"],
  ["If-None-Match with another tag", { "If-None-Match": '"b"' }, strong, "proceed"],
  ["If-None-Match with a list", { "If-None-Match": '"x", W/"a" ,"y"' }, strong, "not-modified"],
  ["If-None-Match on two lines", { "If-None-Match": ['"x"', '"a"'] }, strong, "not-modified"],
  ["If-None-Match compares weakly", { "If-None-Match": '"a"' }, weak, "not-modified"],
  ["If-None-Match with *", { "If-None-Match": "*" }, none, "not-modified"],
  ["If-None-Match with a comma in a tag", { "If-None-Match": '"a,b"' }, { ...strong, etag: '"a,b"' }, "not-modified"],
  ["If-None-Match without quotes", { "If-None-Match": "a" }, strong, "proceed"],
  [
    "If-None-Match goes before If-Modified-Since",
    { "If-None-Match": '"b"', "If-Modified-Since": at(0) },
    strong,
    "proceed",
  ],
  ["If-Modified-Since at the same second", { "If-Modified-Since": at(0) }, strong, "not-modified"],
  ["If-Modified-Since later", { "If-Modified-Since": at(5_000) }, strong, "not-modified"],
  ["If-Modified-Since earlier", { "If-Modified-Since": at(-1_000) }, strong, "proceed"],
  ["If-Modified-Since that is no date", { "If-Modified-Since": "yesterday" }, strong, "proceed"],
  ["If-Modified-Since without a known change", { "If-Modified-Since": at(0) }, none, "proceed"],
  ["If-Match with the tag", { "If-Match": '"x", "a"' }, strong, "proceed"],
  ["If-Match with another tag", { "If-Match": '"b"' }, strong, "failed"],
  ["If-Match compares strongly", { "If-Match": 'W/"a"' }, weak, "failed"],
  ["If-Match with *", { "If-Match": "*" }, none, "proceed"],
  [
    "If-Match goes before If-Unmodified-Since",
    { "If-Match": '"a"', "If-Unmodified-Since": at(-5_000) },
    strong,
    "proceed",
  ],
  ["If-Unmodified-Since earlier", { "If-Unmodified-Since": at(-1_000) }, strong, "failed"],
  ["If-Unmodified-Since at the same second", { "If-Unmodified-Since": at(0) }, strong, "proceed"],
  [
    "If-Unmodified-Since fails before If-None-Match",
    { "If-Unmodified-Since": at(-1_000), "If-None-Match": '"a"' },
    strong,
    "failed",
  ],
])("%s", (_, headers, validators, verdict) => {
  expect(evaluatePreconditions("GET", HeaderList.from(headers), validators)).toBe(verdict);
  expect(evaluatePreconditions("HEAD", HeaderList.from(headers), validators)).toBe(verdict);
});

test("other methods: a match of If-None-Match is a failure, If-Modified-Since says nothing", () => {
  expect(evaluatePreconditions("PUT", HeaderList.from({ "If-None-Match": "*" }), strong)).toBe("failed");
  expect(evaluatePreconditions("PUT", HeaderList.from({ "If-Modified-Since": at(0) }), strong)).toBe("proceed");
});

test.each<[string, HeaderInit, Validators, number, boolean]>([
  ["no If-Range", {}, none, 0, true],
  ["the strong tag", { "If-Range": '"a"' }, strong, 0, true],
  ["another tag", { "If-Range": '"b"' }, strong, 0, false],
  ["a weak tag never", { "If-Range": 'W/"a"' }, weak, 0, false],
  ["the date", { "If-Range": at(0) }, strong, 60_000, true],
  ["the date of a change in this very second", { "If-Range": at(0) }, strong, 500, false],
  ["a later date", { "If-Range": at(1_000) }, strong, 60_000, false],
  ["what is neither", { "If-Range": "x" }, strong, 60_000, false],
])("a range counts with %s", (_, headers, validators, ageMs, applies) => {
  expect(rangeApplies(HeaderList.from(headers), validators, CHANGED + ageMs)).toBe(applies);
});
