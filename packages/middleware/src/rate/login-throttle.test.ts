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

const guessOf = (secret: string, user = "ann") => ({ user, client: here, secret });

/** A check that ends when the test says so. */
function pendingCheck() {
  const checks: ((result: string | null) => void)[] = [];
  const verify = (): Promise<string | null> => new Promise((done) => void checks.push(done));
  return { checks, verify };
}

test("R-M14: guesses that are checked at one time are no more than one after the other", async () => {
  const { throttle } = throttleAt({ perAccountAndAddress: 3 });
  const { checks, verify } = pendingCheck();
  const guesses = Array.from({ length: 200 }, (_, at) => throttle.check(guessOf(`guess ${at}`), verify));
  expect(checks.length).toBe(3); // no hash is computed for the others either
  for (const done of checks) done(null);
  const answers = await Promise.all(guesses);
  expect(answers.filter(({ waitMs }) => waitMs === null).length).toBe(3);
  expect(throttle.waitOf("ann", here)).toBeGreaterThan(0);
});

test("one password on many connections at a time is one guess; a right one leaves no trace", async () => {
  const { throttle } = throttleAt({ perAccountAndAddress: 2 });
  const { checks, verify } = pendingCheck();
  const requests = Array.from({ length: 50 }, () => throttle.check(guessOf("right"), verify));
  for (const done of checks) done("ann");
  for (const answer of await Promise.all(requests)) expect(answer).toEqual({ waitMs: null, result: "ann" });
  expect([throttle.begin("ann", here), throttle.begin("ann", here)]).toEqual([null, null]);
  expect(throttle.begin("ann", here)).not.toBe(null);
});

test("R-M14: with counters that answer later, guesses at one time are limited as well", async () => {
  const local = createCounters();
  const later = { hit: async (...args: Parameters<typeof local.hit>) => local.hit(...args) };
  const throttle = new LoginThrottle({ perAccountAndAddress: 3, counters: later });
  const checked = Array.from({ length: 50 }, (_, at) => throttle.check(guessOf(`guess ${at}`), () => null));
  expect((await Promise.all(checked)).filter(({ waitMs }) => waitMs === null).length).toBe(3);
});

test("a check that fails for reasons of its own counts for nothing, now or later", async () => {
  const { throttle } = throttleAt({ perAccountAndAddress: 2 });
  const fail = (): never => {
    throw new Error("the directory is out");
  };
  for (let at = 0; at < 10; at++) {
    expect(() => throttle.check(guessOf(`${at}`), fail)).toThrow("the directory is out");
    await expect(throttle.check(guessOf(`${at}`), async () => fail())).rejects.toThrow("the directory is out");
  }
  expect(throttle.waitOf("ann", here)).toBe(null);
});

test("R-M14: a flood of refused guesses with made-up names makes no count forgotten", () => {
  const throttle = new LoginThrottle({ perAccountAndAddress: 2, perAddress: 5 });
  throttle.share(createCounters({ maxKeys: 10 }));
  const wrong = (secret: string, user?: string) => throttle.check(guessOf(secret, user), () => null);
  for (let at = 0; at < 3; at++) wrong(String(at));
  for (let at = 0; at < 500; at++) wrong("x", `made up ${at}`);
  expect(wrong("again")).toEqual({ waitMs: expect.any(Number) });
});
