import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Deadlines, type Lateness } from "./deadlines.ts";

let late: Lateness[] = [];
const note = (lateness: Lateness): void => void late.push(lateness);

beforeEach(() => {
  late = [];
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const limits = { headerTimeoutMs: 100, idleTimeoutMs: 50, timeoutMs: 300 };

test("R-C19: a program without a header is late at the header limit", () => {
  new Deadlines(limits, note);
  vi.advanceTimersByTime(99);
  expect(late).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(late).toEqual([{ limit: "header", limitMs: 100 }]);
});

test("pieces of output before the header is complete do not extend the header limit", () => {
  const deadlines = new Deadlines(limits, note);
  for (let at = 0; at < 10; at++) {
    vi.advanceTimersByTime(10);
    deadlines.output();
  }
  expect(late).toEqual([{ limit: "header", limitMs: 100 }]);
});

test("after the header each piece of output gives a new idle time", () => {
  const deadlines = new Deadlines(limits, note);
  deadlines.headerDone();
  for (let at = 0; at < 4; at++) {
    vi.advanceTimersByTime(40);
    deadlines.output();
  }
  expect(late).toEqual([]);
  vi.advanceTimersByTime(50);
  expect(late).toEqual([{ limit: "idle", limitMs: 50 }]);
});

test("R-C13: a steady drip does not extend the limit in all", () => {
  const deadlines = new Deadlines(limits, note);
  deadlines.headerDone();
  for (let at = 0; at < 10; at++) {
    vi.advanceTimersByTime(30);
    deadlines.output();
  }
  expect(late).toEqual([{ limit: "total", limitMs: 300 }]);
});

test("time in which the client is slow does not count", () => {
  const deadlines = new Deadlines(limits, note);
  vi.advanceTimersByTime(60);
  deadlines.waitForClient("input");
  deadlines.waitForClient("output");
  vi.advanceTimersByTime(10_000);
  deadlines.clientDone("input");
  vi.advanceTimersByTime(10_000);
  expect(late).toEqual([]);
  deadlines.clientDone("output");
  vi.advanceTimersByTime(39);
  expect(late).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(late).toEqual([{ limit: "header", limitMs: 100 }]);
});

test("R-C18: once output has ended only the limit in all counts", () => {
  const deadlines = new Deadlines(limits, note);
  deadlines.headerDone();
  deadlines.outputDone();
  vi.advanceTimersByTime(299);
  expect(late).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(late).toEqual([{ limit: "total", limitMs: 300 }]);
});

test("no limit at all is `Infinity`", () => {
  new Deadlines({ headerTimeoutMs: Infinity, timeoutMs: Infinity }, note);
  vi.advanceTimersByTime(2 ** 31 + 1000);
  expect(late).toEqual([]);
});

test("a stopped watch stays stopped, whatever is still told to it: a late header would hold its memory for a minute", () => {
  const deadlines = new Deadlines(limits, note);
  deadlines.stop();
  deadlines.headerDone();
  deadlines.output();
  deadlines.waitForClient("input");
  deadlines.clientDone("input");
  deadlines.outputDone();
  expect(vi.getTimerCount()).toBe(0);
});

test("a header that is complete in time costs no second timer, and an idle limit that ends first still counts", () => {
  const set = vi.spyOn(globalThis, "setTimeout");
  const even = new Deadlines({ headerTimeoutMs: 100, idleTimeoutMs: 100 }, note);
  even.headerDone();
  expect(set).toHaveBeenCalledTimes(1);
  even.stop();
  const short = new Deadlines({ headerTimeoutMs: 1_000, idleTimeoutMs: 20 }, note);
  vi.advanceTimersByTime(5);
  short.headerDone();
  vi.advanceTimersByTime(20);
  expect(late).toEqual([{ limit: "idle", limitMs: 20 }]);
});

test("a stopped watch is never late and holds no timer", () => {
  const deadlines = new Deadlines(limits, note);
  deadlines.waitForClient("output");
  deadlines.stop();
  deadlines.clientDone("output");
  expect(vi.getTimerCount()).toBe(0);
});
