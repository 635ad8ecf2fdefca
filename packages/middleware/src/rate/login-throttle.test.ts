import { type Address, createCounters } from "@gw/core";
import { expect, test } from "vitest";
import { LoginThrottle, type LoginThrottleOptions } from "./login-throttle.ts";

const from = (host: string): Address => ({ host, port: 1 });
const here = from("192.0.2.1");

function throttleAt(options: LoginThrottleOptions = {}) {
  const time = { now: 0 };
  const throttle = new LoginThrottle({ windowMs: 60_000, ...options });
  throttle.share(createCounters({ now: () => time.now }));
  return { time, throttle };
}

test("lets so many fail per account and address, then says how long to wait", () => {
  const { throttle } = throttleAt({ perAccountAndAddress: 3 });
  for (let attempt = 0; attempt < 3; attempt++) expect(throttle.begin("ann", here)).toBe(null);
  expect(throttle.begin("ann", here)).toBeGreaterThan(0);
  expect(throttle.waitOf("ann", here)).toBeGreaterThan(0);
  expect(throttle.begin("bob", here)).toBe(null);
  expect(throttle.begin("ann", from("192.0.2.2"))).toBe(null);
});

test("after the wait it said, there is room again, and not before", () => {
  const { time, throttle } = throttleAt({ perAccountAndAddress: 3 });
  for (let attempt = 0; attempt < 3; attempt++) throttle.begin("ann", here);
  const waitMs = throttle.waitOf("ann", here) as number;
  expect(waitMs).toBeLessThanOrEqual(120_000);
  time.now += waitMs - 10;
  expect(throttle.waitOf("ann", here)).not.toBe(null);
  time.now += 20;
  expect(throttle.waitOf("ann", here)).toBe(null);
  throttle.begin("ann", here);
  const again = throttle.waitOf("ann", here) as number;
  time.now += again - 10;
  expect(throttle.waitOf("ann", here)).not.toBe(null);
  time.now += 20;
  expect(throttle.waitOf("ann", here)).toBe(null);
});

test("hammering while told to wait makes the wait no longer", () => {
  const { time, throttle } = throttleAt({ perAccountAndAddress: 2 });
  for (let attempt = 0; attempt < 2; attempt++) throttle.begin("ann", here);
  const waitMs = throttle.waitOf("ann", here) as number;
  for (let attempt = 0; attempt < 500; attempt++) throttle.begin("ann", here);
  expect(throttle.waitOf("ann", here)).toBe(waitMs);
  time.now += waitMs + 10;
  expect(throttle.begin("ann", here)).toBe(null);
});

test("attempts that succeed do not count, however many", () => {
  const { throttle } = throttleAt({ perAccountAndAddress: 2, perAddress: 2, perAccount: 2 });
  for (let attempt = 0; attempt < 50; attempt++) {
    expect(throttle.begin("ann", here)).toBe(null);
    throttle.takeBack("ann", here);
  }
});

test("attempts at one time count from their start", () => {
  const { throttle } = throttleAt({ perAccountAndAddress: 2 });
  expect([1, 2, 3, 4].map(() => throttle.begin("ann", here) === null)).toEqual([true, true, false, false]);
});

test("R-M14: other spellings of a name, other addresses of one network and other accounts do not avoid it", () => {
  const { throttle } = throttleAt({ perAccountAndAddress: 2, perAddress: 4, perAccount: 6 });
  const six = (end: string): Address => from(`2001:db8::${end}`);
  throttle.begin("ann", six("1"));
  throttle.begin("ANN ", six("2"));
  expect(throttle.begin("\uff41nn", six("3"))).not.toBe(null); // fullwidth a
  throttle.begin("bob", six("4"));
  throttle.begin("eve", six("5"));
  expect(throttle.begin("dan", six("6"))).not.toBe(null); // per address
  for (let host = 1; host <= 4; host++) throttle.begin("ann", from(`198.51.100.${host}`));
  expect(throttle.begin("ann", from("198.51.100.9"))).not.toBe(null); // per account
});

test("clients without an address are counted per account only, so that nobody can lock everybody out", () => {
  const { throttle } = throttleAt({ perAccountAndAddress: 2, perAddress: 2, perAccount: 5 });
  for (let attempt = 0; attempt < 5; attempt++) expect(throttle.begin("ann", null)).toBe(null);
  expect(throttle.begin("ann", { path: "" })).not.toBe(null);
  expect(throttle.begin("bob", null)).toBe(null);
});
