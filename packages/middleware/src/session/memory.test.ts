import { createContext } from "@gw/core";
import { expect, test } from "vitest";
import { describeStore, newKey, recordOf } from "../../test/store-contract.ts";
import { memoryStore } from "./memory.ts";

describeStore("memory", () => memoryStore());

test("is bounded in sessions: the least recently used visitor goes first, users last", () => {
  const store = memoryStore({ maxSessions: 3 });
  const [user, first, second, third] = [newKey(), newKey(), newKey(), newKey()];
  store.create(user, recordOf({ user: "ann" }));
  store.create(first, recordOf());
  store.create(second, recordOf());
  store.read(first); // now `second` is the least recently used
  store.create(third, recordOf());
  expect([user, first, second, third].map((key) => store.read(key) !== null)).toEqual([true, true, false, true]);
});

test("a flood of visitors cannot push out who is logged in", () => {
  const store = memoryStore({ maxSessions: 10 });
  const user = newKey();
  store.create(user, recordOf({ user: "ann" }));
  for (let visitor = 0; visitor < 1_000; visitor++) store.create(newKey(), recordOf());
  expect(store.size).toBe(10);
  expect(store.read(user)).not.toBe(null);
});

test("is bounded in characters, also when sessions grow", () => {
  const store = memoryStore({ maxChars: 1_000 });
  const keys = [newKey(), newKey(), newKey()] as const;
  for (const key of keys) store.create(key, recordOf({ data: "x".repeat(300) }));
  store.replace(keys[2], 1, recordOf({ version: 2, data: "x".repeat(500) }));
  expect(keys.map((key) => store.read(key) !== null)).toEqual([false, true, true]);
  store.create(newKey(), recordOf({ data: "x".repeat(5_000) }));
  expect(store.size).toBe(1);
});

test("sessions past their end are swept as others come", () => {
  const store = memoryStore();
  for (let at = 0; at < 1_023; at++) store.create(newKey(), recordOf({ expiresMs: Date.now() - 1 }));
  store.create(newKey(), recordOf());
  expect(store.size).toBe(1);
});

test("R-M8: is refused at start beside other processes, which would not know its sessions", () => {
  expect(() => memoryStore().start?.(createContext({ hasSiblings: true }))).toThrow(
    expect.objectContaining({ code: "GW_SESSION_NOT_SHARED", message: expect.stringContaining("localStore()") }),
  );
  memoryStore().start?.(createContext({ hasSiblings: false }));
});
