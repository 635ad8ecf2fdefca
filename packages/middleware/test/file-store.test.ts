import {
  chmodSync,
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { createContext } from "@gw/core";
import { expect, test } from "vitest";
import { fileStore } from "../src/session/file.ts";
import { readRecordFile, swapRecordFile } from "../src/session/record-file.ts";
import { sweepSessionFiles } from "../src/session/sweep-files.ts";
import { testFolder } from "./folder.ts";
import { describeStore, newKey, recordOf } from "./store-contract.ts";

describeStore("files", () => fileStore({ directory: join(testFolder(), "sessions") }));

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

test("files are for the owner alone, and named by the hash of the id", () => {
  const directory = join(testFolder(), "sessions");
  const store = fileStore({ directory });
  const key = newKey();
  store.create(key, recordOf({ user: "ann" }));
  const files = filesIn(directory);
  expect(files).toHaveLength(2); // the session, and its mark for "all sessions of ann"
  expect(files).toContain(join(directory, key.slice(0, 2), key));
  if (process.platform === "win32") return;
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  for (const file of files) expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("leaves no other files behind, however often a session is written", () => {
  const directory = testFolder();
  const store = fileStore({ directory });
  const key = newKey();
  store.create(key, recordOf());
  for (let version = 1; version < 50; version++) {
    expect(store.replace(key, version, recordOf({ version: version + 1 }))).toBe(true);
    store.replace(key, version, recordOf({ version: version + 1 })); // lost races clean up, too
  }
  expect(filesIn(directory)).toEqual([join(directory, key.slice(0, 2), key)]);
  store.end(key);
  expect(filesIn(directory)).toEqual([]);
});

test("a writer that died in mid-write is finished by the next one", () => {
  const directory = testFolder();
  const store = fileStore({ directory });
  const [key, other] = [newKey(), newKey()];
  store.create(key, recordOf());
  store.create(other, recordOf({ version: 2, data: '{"by":"the dead"}' }));
  const path = join(directory, key.slice(0, 2), key);
  linkSync(join(directory, other.slice(0, 2), other), `${path}.2`); // what it leaves: its claim, whole, not yet in place
  expect(store.replace(key, 1, recordOf({ version: 2, data: '{"by":"the living"}' }))).toBe(false);
  expect(store.read(key)).toMatchObject({ version: 2, data: '{"by":"the dead"}' });
  expect(store.replace(key, 2, recordOf({ version: 3 }))).toBe(true);
  expect(existsSync(`${path}.2`)).toBe(false);
});

test("R-M9: a claim left over from an old version changes nothing", () => {
  const path = join(testFolder(), newKey());
  const store = fileStore({ directory: testFolder() });
  const key = newKey();
  store.create(key, recordOf({ version: 5 }));
  expect(swapRecordFile(path, 1, recordOf({ version: 2 }))).toBe(false);
  expect(existsSync(path)).toBe(false);
});

test("a file that is not whole counts as no session, and is no error", () => {
  const directory = testFolder();
  const store = fileStore({ directory });
  const key = newKey();
  store.create(key, recordOf({ data: '{"a":"0123456789"}' }));
  const path = join(directory, key.slice(0, 2), key);
  const whole = readFileSync(path);
  for (let length = 0; length < whole.length; length++) {
    writeFileSync(path, whole.subarray(0, length));
    utimesSync(path, new Date(), new Date(Date.now() + 60_000));
    expect(readRecordFile(path)).toBe(null);
  }
  expect(store.replace(key, 1, recordOf({ version: 2 }))).toBe(false);
});

test("goes on when the folder was removed under it", () => {
  const directory = join(testFolder(), "sessions");
  const store = fileStore({ directory });
  const key = newKey();
  store.create(key, recordOf({ user: "ann" }));
  rmSync(directory, { recursive: true });
  expect(store.read(key)).toBe(null);
  store.create(key, recordOf({ user: "ann" }));
  expect(store.endAll("ann")).toBe(1);
});

test("sweeps what has ended, and what writers that died left behind", async () => {
  const directory = testFolder();
  const store = fileStore({ directory });
  const [old, fresh] = [newKey(), newKey()];
  const hourAgo = Date.now() - 3_700_000;
  store.create(old, recordOf({ user: "ann", expiresMs: hourAgo }));
  store.create(fresh, recordOf({ user: "ann" }));
  const leftover = join(directory, fresh.slice(0, 2), `${fresh}.tmp-1-1`);
  writeFileSync(leftover, "");
  await sweepSessionFiles(directory);
  const left = filesIn(directory);
  expect(left.some((path) => path.endsWith(old))).toBe(false);
  expect(left.filter((path) => path.endsWith(fresh))).toHaveLength(2);
  expect(left).toContain(leftover); // it may be of a writer that is just slow
});

test("refuses to start in a folder that others can write", () => {
  if (process.platform === "win32") return;
  const directory = testFolder();
  chmodSync(directory, 0o777);
  const store = fileStore({ directory });
  expect(() => store.start?.(createContext())).toThrow(expect.objectContaining({ code: "GW_SESSION_STORE" }));
});
