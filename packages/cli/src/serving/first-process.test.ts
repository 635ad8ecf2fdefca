import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type FirstProcessOptions, leaveFirstPlace } from "./first-process.ts";

let folder: string;
let executed: readonly string[] | null;
let warnings: string[];
const execute: FirstProcessOptions["execute"] = (_file, args) => {
  executed = args;
  return undefined as never;
};
const warn = (line: string): void => void warnings.push(line);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gw-init-"));
  executed = null;
  warnings = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

test("becomes the init that is installed, with the same command below it", () => {
  writeFileSync(join(folder, "dumb-init"), "#!/bin/sh\n", { mode: 0o755 });
  leaveFirstPlace({ pid: 1, environment: { PATH: folder }, execute, warn });
  expect(executed?.slice(0, 4)).toEqual([join(folder, "dumb-init"), "--single-child", "--", process.execPath]);
  expect(executed?.slice(4)).toEqual([...process.execArgv, ...process.argv.slice(1)]);
});

test("becomes a shell that reaps where no init is installed", () => {
  leaveFirstPlace({ pid: 1, environment: { PATH: folder }, execute, warn });
  expect(executed?.slice(0, 2)).toEqual(["/bin/sh", "-c"]);
});

test("stays where it is as any other process; warns where it cannot become another program", () => {
  leaveFirstPlace({ pid: 7, environment: {}, execute, warn });
  leaveFirstPlace({ pid: 1, environment: {}, execute: undefined, warn });
  expect(executed).toBeNull();
  expect(warnings).toEqual([expect.stringContaining("docker run --init")]);
});
