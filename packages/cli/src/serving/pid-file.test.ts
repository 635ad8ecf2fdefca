import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { preparePidFile } from "./pid-file.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gw-pid-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("is there from publish to remove, whole", () => {
  const file = join(folder, "gw.pid");
  const pid = preparePidFile(file);
  expect(readdirSync(folder)).not.toContain("gw.pid");
  pid.publish();
  expect(readFileSync(file, "utf8")).toBe(`${process.pid}\n`);
  pid.remove();
  expect(readdirSync(folder)).toEqual([]);
});

test("a start that fails leaves the file of the gateway that runs", () => {
  const file = join(folder, "gw.pid");
  writeFileSync(file, "1\n");
  preparePidFile(file).remove();
  expect(readFileSync(file, "utf8")).toBe("1\n");
  expect(readdirSync(folder)).toEqual(["gw.pid"]);
});

test("says that it cannot be written before anything listens", () => {
  expect(() => preparePidFile(join(folder, "nowhere/gw.pid"))).toThrow(
    expect.objectContaining({ code: "GW_START", message: expect.stringContaining("cannot write --pid ") }),
  );
});

test("what a dead process left, or one that is no gateway, is replaced", () => {
  const file = join(folder, "gw.pid");
  for (const stale of ["4194304\n", "1\n", "", "garbage\n"]) {
    writeFileSync(file, stale);
    const pid = preparePidFile(file);
    pid.publish();
    expect(readFileSync(file, "utf8")).toBe(`${process.pid}\n`);
    pid.remove();
  }
  expect(readdirSync(folder)).toEqual([]);
});

test("R-O14: opened before another user is taken on, it is written and emptied by that user", () => {
  const file = join(folder, "gw.pid");
  writeFileSync(file, "4194304\n");
  const pid = preparePidFile(file, { isOpenedNow: true });
  expect(readFileSync(file, "utf8")).toBe("4194304\n");
  pid.publish();
  expect(readFileSync(file, "utf8")).toBe(`${process.pid}\n`);
  pid.remove();
  pid.remove();
  expect(readdirSync(folder)).toEqual([]);
});
