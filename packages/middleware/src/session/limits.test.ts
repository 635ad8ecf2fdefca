import { expect, test } from "vitest";
import { dueTouch, expiryOf, isAlive } from "./limits.ts";

const limits = { idleMs: 1_800_000, absoluteMs: 86_400_000 };
const record = (createdMs: number, expiresMs: number) => ({ version: 1, createdMs, expiresMs, user: null, data: "{}" });

test("R-M8: ends idle sessions after 30 minutes and all after 24 hours", () => {
  expect(expiryOf(0, 0, limits)).toBe(1_800_000);
  expect(expiryOf(0, 86_000_000, limits)).toBe(86_400_000);
  expect(isAlive(record(0, 1_800_000), 1_799_999, limits)).toBe(true);
  expect(isAlive(record(0, 1_800_000), 1_800_000, limits)).toBe(false);
});

test("R-M8: an absolute limit that was lowered ends old sessions, whatever their record says", () => {
  expect(isAlive(record(0, 86_000_000), 3_600_000, { ...limits, absoluteMs: 3_600_000 })).toBe(false);
});

test("R-M9: use is written down at most once a minute", () => {
  expect(dueTouch(record(0, 1_800_000), 59_999, limits)).toBe(null);
  expect(dueTouch(record(0, 1_800_000), 60_000, limits)).toBe(1_860_000);
});

test("nothing is written down once the absolute limit is what counts", () => {
  expect(dueTouch(record(0, 86_400_000), 86_000_000, limits)).toBe(null);
});

test("with a short idle limit, use is written down often enough", () => {
  const short = { idleMs: 60_000, absoluteMs: 86_400_000 };
  expect(dueTouch(record(0, 60_000), 14_999, short)).toBe(null);
  expect(dueTouch(record(0, 60_000), 15_000, short)).toBe(75_000);
});

test("R-O12: an end too far ahead is brought back", () => {
  expect(dueTouch(record(0, 80_000_000), 1_000, limits)).toBe(1_801_000);
});
