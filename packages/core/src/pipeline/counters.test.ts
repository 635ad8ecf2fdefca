import { expect, test } from "vitest";
import type { CounterReading } from "../model/context.ts";
import { createContext } from "./context.ts";
import { createCounters } from "./counters.ts";

function clocked(maxKeys?: number) {
  let nowMs = 0;
  const counters = createCounters({ now: () => nowMs, ...(maxKeys !== undefined && { maxKeys }) });
  return {
    at: (ms: number) => {
      nowMs = ms;
    },
    hit: (key: string, by?: number) =>
      counters.hit(key, { windowMs: 1000, ...(by !== undefined && { by }) }) as CounterReading,
  };
}

test("counts per key and window, and tells the window before and the time left", () => {
  const { at, hit } = clocked();
  at(100);
  expect(hit("a")).toEqual({ count: 1, previous: 0, resetMs: 900 });
  expect(hit("a", 4)).toEqual({ count: 5, previous: 0, resetMs: 900 });
  expect(hit("b").count).toBe(1);
  at(1250);
  expect(hit("a")).toEqual({ count: 1, previous: 5, resetMs: 750 });
  at(2000);
  expect(hit("a")).toEqual({ count: 1, previous: 1, resetMs: 1000 });
  at(9000);
  expect(hit("a")).toEqual({ count: 1, previous: 0, resetMs: 1000 });
});

test("windows of different lengths do not mix", () => {
  const counters = createCounters({ now: () => 0 });
  counters.hit("a", { windowMs: 1000 });
  expect((counters.hit("a", { windowMs: 2000 }) as CounterReading).count).toBe(1);
});

test("R-M14: memory is bounded: beyond maxKeys the key that was hit longest ago is forgotten", () => {
  const { hit } = clocked(2);
  hit("a");
  hit("b");
  expect(hit("a").count).toBe(2);
  hit("c");
  expect(hit("a").count).toBe(3);
  expect(hit("b").count).toBe(1);
});

test("R-M14: who only asks, and what is taken back, makes nobody forgotten", () => {
  const { hit } = clocked(2);
  hit("a");
  for (let at = 0; at < 100; at++) {
    expect(hit(`peek ${at}`, 0).count).toBe(0);
    hit(`other ${at}`);
    expect(hit(`other ${at}`, -1).count).toBe(0);
  }
  expect(hit("a").count).toBe(2);
});

test("what was counted in a window that is over is no credit in this one", () => {
  const { hit, at } = clocked();
  hit("a");
  at(1000);
  expect(hit("a", -1)).toMatchObject({ count: 0, previous: 1 });
  expect(hit("a").count).toBe(1);
});

test("R-O12: the default clock does not step back with the wall clock", () => {
  const reading = createCounters().hit("a", { windowMs: 60_000 }) as CounterReading;
  expect(reading.resetMs).toBeGreaterThan(0);
  expect(reading.resetMs).toBeLessThanOrEqual(60_000);
});

test("a context has everything but backends; starting one says what to use", async () => {
  const context = createContext();
  expect(context.counters.hit("a", { windowMs: 1000 })).toMatchObject({ count: 1 });
  expect(context.metrics.toText()).toBe("");
  const spec = { name: "php", command: ["php-fpm"], env: {}, socket: "none", ready: "spawn" } as const;
  await expect(context.backends.start(spec)).rejects.toMatchObject({ code: "GW_NO_BACKENDS" });
});
