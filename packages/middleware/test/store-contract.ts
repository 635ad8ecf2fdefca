// What every session store must do; each store's test runs it.
import type { AppContext } from "@gw/core";
import { createContext, isPromise } from "@gw/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SessionRecord, SessionStore } from "../src/session/store.ts";
import { keyOf, newToken } from "../src/session/token.ts";
import { promisesMadeBy } from "./promises.ts";

const context: AppContext = createContext();

/** A record as the layer makes them. */
export function recordOf(init: Partial<SessionRecord> = {}): SessionRecord {
  const nowMs = Date.now();
  return { version: 1, createdMs: nowMs, expiresMs: nowMs + 60_000, user: null, data: '{"a":1}', ...init };
}

/** Any key. */
export function newKey(): string {
  return keyOf(newToken());
}

/** Runs the contract. `open` gives a new, empty store, or another handle on the same one. */
export function describeStore(name: string, open: () => SessionStore): void {
  describe(`${name}: what every store does`, () => {
    let store: SessionStore;
    beforeEach(async () => {
      store = open();
      await store.start?.(context);
    });
    afterEach(async () => {
      await store.stop?.(AbortSignal.timeout(5_000));
    });

    test("gives back what was created, every char of it", async () => {
      const key = newKey();
      const record = recordOf({ user: 'ann "ü\n€', data: JSON.stringify({ text: "\u0000\n\u2028😀" }) });
      expect(await store.read(key)).toBe(null);
      await store.create(key, record);
      expect(await store.read(key)).toEqual(record);
    });

    test("R-M9: replaces only the version that is there", async () => {
      const key = newKey();
      await store.create(key, recordOf());
      const next = recordOf({ version: 2, data: '{"a":2}', user: "ann" });
      expect(await store.replace(key, 1, next)).toBe(true);
      expect(await store.replace(key, 1, recordOf({ version: 2, data: '{"a":3}' }))).toBe(false);
      expect(await store.read(key)).toEqual(next);
    });

    test("R-M9: never brings back a session that has ended", async () => {
      const key = newKey();
      await store.create(key, recordOf());
      await store.end(key);
      await store.end(key);
      expect(await store.read(key)).toBe(null);
      expect(await store.replace(key, 1, recordOf({ version: 2 }))).toBe(false);
      expect(await store.move(key, 1, newKey(), recordOf({ version: 2 }))).toBe(false);
      await store.touch(key, Date.now() + 60_000);
      expect(await store.read(key)).toBe(null);
    });

    test("moves a record: the old key ends in the same step", async () => {
      const [from, to] = [newKey(), newKey()];
      await store.create(from, recordOf());
      const next = recordOf({ version: 2, user: "ann" });
      expect(await store.move(from, 7, to, next)).toBe(false);
      expect(await store.read(to)).toBe(null);
      expect(await store.move(from, 1, to, next)).toBe(true);
      expect(await store.read(from)).toBe(null);
      expect(await store.read(to)).toEqual(next);
    });

    test("a touch changes the end and nothing else", async () => {
      const key = newKey();
      const record = recordOf({ version: 3 });
      await store.create(key, record);
      const expiresMs = record.expiresMs + 120_000;
      await store.touch(key, expiresMs);
      expect(await store.read(key)).toEqual({ ...record, expiresMs });
      expect(await store.replace(key, 3, { ...record, version: 4 })).toBe(true);
    });

    test("R-M8: a session past its end is not there", async () => {
      const key = newKey();
      await store.create(key, recordOf({ expiresMs: Date.now() - 1 }));
      expect(await store.read(key)).toBe(null);
    });

    test("ends all sessions of a user, and no others", async () => {
      const keys = [newKey(), newKey(), newKey(), newKey()] as const;
      await store.create(keys[0], recordOf({ user: "ann" }));
      await store.create(keys[1], recordOf({ user: null }));
      await store.replace(keys[1], 1, recordOf({ version: 2, user: "ann" }));
      await store.create(keys[2], recordOf({ user: "bob" }));
      await store.create(keys[3], recordOf({ user: null }));
      expect(await store.endAll("ann")).toBe(2);
      expect(await store.endAll("ann")).toBe(0);
      const left = await Promise.all(keys.map((key) => store.read(key)));
      expect(left.map((record) => record !== null)).toEqual([false, false, true, true]);
    });

    test("answers at once if it says so, with no promise", () => {
      if (!store.isSync) return;
      const key = newKey();
      const results: unknown[] = [];
      const made = promisesMadeBy(() => {
        results.push(
          store.create(key, recordOf()),
          store.read(key),
          store.replace(key, 1, recordOf({ version: 2, user: "x" })),
          store.touch(key, Date.now() + 5_000),
          store.move(key, 2, newKey(), recordOf({ version: 3 })),
          store.end(key),
          store.endAll("x"),
        );
      });
      expect(results.some((result) => isPromise(result as never))).toBe(false);
      expect(made).toBe(0);
    });
  });
}
