// Races between processes over one session file, played out step by step.
import type * as fs from "node:fs";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test, vi } from "vitest";
import {
  createRecordFile,
  endRecordFile,
  isEnded,
  readRecordFile,
  swapRecordFile,
} from "../src/session/record-file.ts";
import { testFolder } from "./folder.ts";
import { recordOf } from "./store-contract.ts";

const before = vi.hoisted(() => ({ link: (): void => {}, rename: (): void => {} }));

vi.mock("node:fs", async (original) => {
  const actual = await original<typeof fs>();
  /** Lets other processes act at this point, once. */
  const interrupt = (name: keyof typeof before): void => {
    const act = before[name];
    before[name] = () => {};
    act();
  };
  return {
    ...actual,
    linkSync(from: string, to: string) {
      interrupt("link");
      actual.linkSync(from, to);
    },
    renameSync(from: string, to: string) {
      if (!from.includes(".tmp-")) interrupt("rename");
      actual.renameSync(from, to);
    },
  };
});

beforeEach(() => {
  before.link = () => {};
  before.rename = () => {};
});

const next = (version: number, by: string) => recordOf({ version, data: JSON.stringify({ by }) });
const stateOf = (path: string): unknown => {
  const state = readRecordFile(path);
  return state === null || isEnded(state) ? null : [state.version, JSON.parse(state.data)];
};

function newFile(): { path: string; folder: string } {
  const folder = testFolder();
  const path = join(folder, "session");
  createRecordFile(path, next(1, "first"));
  return { path, folder };
}

test("R-M9: who claims a version that others have passed meanwhile gives it up", () => {
  const { path, folder } = newFile();
  before.link = () => {
    expect(swapRecordFile(path, 1, next(2, "other"))).toBe(true);
    expect(swapRecordFile(path, 2, next(3, "other"))).toBe(true);
  };
  expect(swapRecordFile(path, 1, next(2, "slow"))).toBe(false);
  expect(stateOf(path)).toEqual([3, { by: "other" }]);
  expect(readdirSync(folder)).toEqual(["session"]);
});

test("R-M9: who claims a version of a session that has ended meanwhile does not bring it back", () => {
  const { path, folder } = newFile();
  before.link = () => void endRecordFile(path);
  expect(swapRecordFile(path, 1, next(2, "slow"))).toBe(false);
  expect(readdirSync(folder)).toEqual([]);
});

test("a writer that pauses before its last step is finished by another, and both are right", () => {
  const { path, folder } = newFile();
  before.rename = () => {
    expect(swapRecordFile(path, 1, next(2, "other"))).toBe(false); // it waits, then helps
    expect(stateOf(path)).toEqual([2, { by: "paused" }]);
  };
  expect(swapRecordFile(path, 1, next(2, "paused"))).toBe(true);
  expect(stateOf(path)).toEqual([2, { by: "paused" }]);
  expect(readdirSync(folder)).toEqual(["session"]);
});

test("R-M9: a session that is ended while another writes it stays ended", () => {
  const { path, folder } = newFile();
  before.rename = () => expect(endRecordFile(path)).toBe(true);
  expect(swapRecordFile(path, 1, next(2, "slow"))).toBe(true);
  expect(stateOf(path)).toBe(null);
  expect(readdirSync(folder)).toEqual([]);
});
