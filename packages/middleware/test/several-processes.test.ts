// Stores that several processes share: nothing that was saved is lost.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { requires } from "@gw-private/requires";
import { expect, test } from "vitest";
import { fileStore } from "../src/session/file.ts";
import { sqliteStore } from "../src/session/sqlite.ts";
import type { SessionStore } from "../src/session/store.ts";
import { testFolder } from "./folder.ts";
import { newKey, recordOf } from "./store-contract.ts";

const PROCESSES = 4;
const EACH = 100;

async function incrementInParallel(kind: string, path: string, store: SessionStore): Promise<unknown> {
  const key = newKey();
  store.create(key, recordOf({ data: '{"n":0}' }));
  const script = join(import.meta.dirname, "increment.mjs");
  const atMs = String(Date.now() + 300);
  const run = () => promisify(execFile)(process.execPath, [script, kind, path, key, String(EACH), atMs]);
  await Promise.all(Array.from({ length: PROCESSES }, run));
  const record = await store.read(key);
  return { version: record?.version, data: record?.data };
}

const expected = { version: PROCESSES * EACH + 1, data: JSON.stringify({ n: PROCESSES * EACH }) };

test("R-M9: files: no change of parallel processes is lost", { timeout: 60_000 }, async () => {
  const directory = join(testFolder(), "sessions");
  expect(await incrementInParallel("file", directory, fileStore({ directory }))).toEqual(expected);
});

requires("node:sqlite")("R-M9: SQLite: no change of parallel processes is lost", async () => {
  const path = join(testFolder(), "sessions.sqlite");
  const store = sqliteStore({ path });
  expect(await incrementInParallel("sqlite", path, store)).toEqual(expected);
  store.stop?.(AbortSignal.timeout(1_000));
});

requires("node:sqlite")("SQLite: processes that make the database at one time all get in", async () => {
  const path = join(testFolder(), "sessions.sqlite");
  const script = join(import.meta.dirname, "open-at.mjs");
  const atMs = String(Date.now() + 300);
  const run = () => promisify(execFile)(process.execPath, [script, path, atMs]);
  const outputs = await Promise.all(Array.from({ length: 6 }, run));
  expect(outputs.map(({ stdout }) => stdout)).toEqual(Array.from({ length: 6 }, () => "null"));
});
