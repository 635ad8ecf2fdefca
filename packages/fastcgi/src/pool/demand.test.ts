import { expect, test } from "vitest";
import { Demand } from "./demand.ts";

const bounds = { min: 1, max: 4, requestsPerProcess: 1, idleTimeoutMs: 100 };

test("as many processes as there are requests, up to the maximum, and at once", () => {
  const demand = new Demand(bounds);
  expect([demand.wanted, demand.note(1, 0), demand.wanted]).toEqual([1, false, 1]);
  expect([demand.note(3, 1), demand.wanted]).toEqual([true, 3]);
  expect([demand.note(2, 2), demand.wanted]).toEqual([false, 3]);
  expect([demand.note(90, 3), demand.wanted]).toEqual([true, 4]);
  expect(demand.note(91, 4)).toBe(false);
});

test("a process that takes several requests at once is worth several", () => {
  const demand = new Demand({ ...bounds, requestsPerProcess: 10 });
  expect([demand.note(10, 0), demand.wanted]).toEqual([false, 1]);
  expect([demand.note(11, 0), demand.wanted]).toEqual([true, 2]);
});

test("each process that was not needed for the idle time goes, the minimum stays", () => {
  const demand = new Demand(bounds);
  demand.note(4, 0);
  demand.note(2, 50);
  expect([demand.settle(99), demand.wanted]).toEqual([false, 4]);
  expect([demand.settle(100), demand.wanted]).toEqual([true, 2]);
  expect([demand.settle(149), demand.wanted]).toEqual([false, 2]);
  expect([demand.settle(9_999), demand.wanted]).toEqual([true, 1]);
  expect([demand.settle(99_999), demand.wanted]).toEqual([false, 1]);
});

test("without a minimum the last one goes, too", () => {
  const demand = new Demand({ ...bounds, min: 0 });
  expect(demand.wanted).toBe(0);
  expect(demand.note(1, 0)).toBe(true);
  expect([demand.settle(100), demand.wanted]).toEqual([true, 0]);
});
