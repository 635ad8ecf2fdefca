import { expect, test } from "vitest";
import { defaultWorkers, residentBytes, workersThatFit } from "./sizing.ts";

test.each([
  [1, 1],
  [2, 1],
  [3, 2],
  [5, 4],
  [64, 4],
])("with %i cores there are %i workers: one core is the gateway's", (cores, workers) => {
  expect(defaultWorkers(cores)).toBe(workers);
});

test.each([
  ["all of them where there is no limit", 4, 100, Infinity, 4],
  ["those that fit into 70 % of it", 4, 100, 300, 2],
  ["one at least", 4, 100, 50, 1],
  ["all of them where nobody says what one weighs", 4, 0, 50, 4],
])("of the workers the memory limit has room for %s", (_title, workers, bytes, limit, fit) => {
  expect(workersThatFit(workers, bytes, limit)).toBe(fit);
});

test.runIf(process.platform === "linux")("what a process holds is read from the system", () => {
  expect(residentBytes(process.pid)).toBeGreaterThan(10_000_000);
  expect(residentBytes(0x7fff_ffff)).toBe(0);
});
