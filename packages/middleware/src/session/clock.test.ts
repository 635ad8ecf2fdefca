import { expect, test } from "vitest";
import { createClock } from "./clock.ts";

function clockOf(wall: number, monotonic: number) {
  const time = { wall, monotonic };
  return {
    time,
    clock: createClock(
      () => time.wall,
      () => time.monotonic,
    ),
  };
}

test("shows the wall clock while both run alike", () => {
  const { time, clock } = clockOf(1_000_000, 50);
  time.wall += 5_000;
  time.monotonic += 5_000;
  expect(clock()).toBe(1_005_000);
});

test("R-O12: a wall clock set back slows nothing: the time that passed has passed", () => {
  const { time, clock } = clockOf(1_000_000, 0);
  clock();
  time.wall -= 86_400_000;
  time.monotonic += 60_000;
  expect(clock()).toBeCloseTo(1_060_000, -3);
  time.wall += 30_000;
  time.monotonic += 30_000;
  expect(clock()).toBeCloseTo(1_090_000, -3);
});

test("R-O12: a wall clock set forward, or a suspended machine, counts as time passed", () => {
  const { time, clock } = clockOf(1_000_000, 0);
  time.wall += 3_600_000;
  time.monotonic += 10;
  expect(clock()).toBe(4_600_000);
});

test("small corrections, as time services make them, are followed", () => {
  const { time, clock } = clockOf(1_000_000, 0);
  for (let second = 0; second < 100; second++) {
    time.wall += 999.5;
    time.monotonic += 1_000;
    clock();
  }
  expect(clock()).toBe(time.wall);
});
