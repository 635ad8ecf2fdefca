import { expect, test } from "vitest";
import { createContext } from "./context.ts";
import { createPermits } from "./permits.ts";

test("R-O10: permits of one name are shared by all who ask for it, and never more are taken than there are", () => {
  const permits = createPermits();
  const [one, other] = [permits.pool("a", 2), permits.pool("a", 2)];
  expect([one.take(), other.take(), one.take(), other.take()]).toEqual([true, true, false, false]);
  expect(permits.pool("b", 1).take()).toBe(true);
  let told = 0;
  const forget = other.onChange(() => told++);
  one.give();
  expect([told, other.take(), one.take()]).toEqual([1, true, false]);
  forget();
  other.give();
  expect(told).toBe(1);
});

test("R-O2: the limit that was asked for last holds, and who waits is told that there are more", () => {
  const permits = createPermits();
  const pool = permits.pool("a", 1);
  let told = 0;
  pool.onChange(() => told++);
  expect([pool.take(), pool.take()]).toEqual([true, false]);
  permits.pool("a", 2);
  expect([told, pool.limit, pool.take()]).toEqual([1, 2, true]);
  permits.pool("a", 1);
  pool.give();
  expect(pool.take()).toBe(false);
});

test("the limits are in the metrics", () => {
  const { metrics, permits } = createContext();
  permits.pool("a", 2);
  expect(metrics.toText()).toContain('gw_permits{name="a"} 2\n');
});
