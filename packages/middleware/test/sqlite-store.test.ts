import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createContext } from "@gw/core";
import { describe, expect, test } from "vitest";
import { localStore } from "../src/session/local.ts";
import { hasSqlite, sqliteStore } from "../src/session/sqlite.ts";
import { testFolder } from "./folder.ts";
import { describeStore, newKey, recordOf } from "./store-contract.ts";

test("localStore is an SQLite database where the runtime has it, else files", () => {
  const directory = testFolder();
  const store = localStore({ directory });
  const key = newKey();
  store.create(key, recordOf());
  expect(statSync(join(directory, hasSqlite() ? "sessions.sqlite" : "sessions")).isFile()).toBe(hasSqlite());
  store.stop?.(AbortSignal.timeout(1_000));
});

test("without node:sqlite, sqliteStore says what to use", () => {
  if (hasSqlite()) return;
  expect(() => sqliteStore({ path: "x" })).toThrow(expect.objectContaining({ code: "GW_NO_SQLITE" }));
});

describe.runIf(hasSqlite())(`SQLite ${hasSqlite() ? "" : "(needs node:sqlite)"}`.trim(), () => {
  describeStore("SQLite", () => sqliteStore({ path: join(testFolder(), "folder", "sessions.sqlite") }));

  test("its files are for the owner alone", () => {
    const path = join(testFolder(), "sessions.sqlite");
    const store = sqliteStore({ path });
    store.create(newKey(), recordOf());
    for (const file of [path, `${path}-wal`, `${path}-shm`]) expect(statSync(file).mode & 0o777).toBe(0o600);
    store.stop?.(AbortSignal.timeout(1_000));
  });

  test("two handles see each other's sessions, and sessions outlive a restart", () => {
    const path = join(testFolder(), "sessions.sqlite");
    const [one, two] = [sqliteStore({ path }), sqliteStore({ path })];
    const key = newKey();
    one.create(key, recordOf());
    expect(two.replace(key, 1, recordOf({ version: 2 }))).toBe(true);
    expect(one.replace(key, 1, recordOf({ version: 2 }))).toBe(false);
    one.stop?.(AbortSignal.timeout(1_000));
    two.stop?.(AbortSignal.timeout(1_000));
    const three = sqliteStore({ path });
    expect(three.read(key)).toMatchObject({ version: 2 });
    three.stop?.(AbortSignal.timeout(1_000));
  });

  test("R-O6: a database that cannot be used is an error at start, and works again when it can be", () => {
    const folder = testFolder();
    const path = join(folder, "sessions.sqlite");
    writeFileSync(path, "this is no database, but long enough to be taken for one".repeat(20));
    const store = sqliteStore({ path });
    expect(() => store.start?.(createContext())).toThrow(/not a database/);
    expect(() => store.read(newKey())).toThrow(/not a database/);
    writeFileSync(path, "");
    expect(store.read(newKey())).toBe(null);
    store.stop?.(AbortSignal.timeout(1_000));
  });

  test("sweeps what has ended when it starts", () => {
    const path = join(testFolder(), "sessions.sqlite");
    const before = sqliteStore({ path });
    for (let at = 0; at < 10; at++) before.create(newKey(), recordOf({ user: "ann", expiresMs: Date.now() - 1 }));
    before.create(newKey(), recordOf({ user: "ann" }));
    before.stop?.(AbortSignal.timeout(1_000));
    const after = sqliteStore({ path });
    after.start?.(createContext());
    expect(after.endAll("ann")).toBe(1);
    after.stop?.(AbortSignal.timeout(1_000));
  });
});
