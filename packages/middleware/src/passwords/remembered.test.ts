import { expect, test } from "vitest";
import { RememberedSuccesses } from "./remembered.ts";

test("asks once a minute while the password is right, and always while it is wrong", () => {
  let now = 0;
  let asked = 0;
  const remembered = new RememberedSuccesses(() => now);
  const check = (password: string): unknown =>
    remembered.check("ann", password, "hash", () => {
      asked++;
      return password === "right";
    });
  expect([check("right"), check("right"), check("wrong"), check("wrong")]).toEqual([true, true, false, false]);
  expect(asked).toBe(3);
  now = 59_999;
  expect(check("right")).toBe(true);
  expect(asked).toBe(3);
  now = 60_000;
  expect(check("right")).toBe(true);
  expect(asked).toBe(4);
});

test("another hash, user or split of the same letters is another question", () => {
  const remembered = new RememberedSuccesses();
  expect(remembered.check("ab", "c", "h", () => true)).toBe(true);
  for (const [user, password, hash] of [
    ["a", "bc", "h"],
    ["ab", "c", "i"],
    ["ab", "", "ch"],
  ] as const) {
    expect(remembered.check(user, password, hash, () => false)).toBe(false);
  }
});

test("equal questions at one time are asked once", async () => {
  let asked = 0;
  const remembered = new RememberedSuccesses();
  const check = () =>
    remembered.check("ann", "x", "hash", async () => {
      asked++;
      return true;
    });
  expect(await Promise.all([check(), check(), check()])).toEqual([true, true, true]);
  expect(asked).toBe(1);
});

test("a check that fails for other reasons is not remembered", async () => {
  const remembered = new RememberedSuccesses();
  await expect(remembered.check("a", "b", "c", async () => Promise.reject(new Error("busy")))).rejects.toThrow("busy");
  expect(remembered.check("a", "b", "c", () => true)).toBe(true);
});

test("holds at most a thousand", () => {
  let asked = 0;
  const remembered = new RememberedSuccesses();
  const check = (user: string) => remembered.check(user, "", "", () => ++asked > 0);
  for (let at = 0; at <= 1_000; at++) check(`user${at}`);
  check("user1");
  expect(asked).toBe(1_001);
  check("user0");
  expect(asked).toBe(1_002);
});
