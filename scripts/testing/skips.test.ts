import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startVitest } from "vitest/node";
import { isThere } from "./requires.ts";
import { type AllowedSkips, allowedReason, SkipReporter } from "./skips.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(import.meta.dirname, ".skips-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a small test file under the reporter; returns what it printed and the exit code it asked for. */
async function report(allowed: AllowedSkips, isStrict: boolean): Promise<{ printed: string; exitCode: unknown }> {
  writeFileSync(
    join(folder, "small.test.ts"),
    `import { test } from "vitest";
     import { requires } from "../requires.ts";
     test("runs", () => {});
     requires("sh")("runs too", () => {});
     requires("no-such-program", "/no/such/path")("clones", () => { throw new Error("ran"); });
     test("decides late", ({ skip }) => skip("no IPv6 here"));`,
  );
  const printed: string[] = [];
  const keep = (text: unknown): void => void printed.push(String(text));
  const log = vi.spyOn(console, "log").mockImplementation(keep);
  const error = vi.spyOn(console, "error").mockImplementation(keep);
  const before = process.exitCode;
  const reporters = [new SkipReporter(allowed, isStrict)];
  const options = { root: folder, config: false as const, watch: false, reporters, include: ["*.test.ts"] };
  const vitest = await startVitest("test", [], options);
  await vitest.close();
  const { exitCode } = process;
  process.exitCode = before;
  log.mockRestore();
  error.mockRestore();
  return { printed: printed.join("\n"), exitCode };
}

test("lists what was skipped and why, and lets a run on a smaller machine pass", async () => {
  const { printed, exitCode } = await report({}, false);
  expect(printed).toContain("2 skipped:");
  expect(printed).toContain("small.test.ts > clones (needs no-such-program, /no/such/path)");
  expect(printed).toContain("small.test.ts > decides late - no IPv6 here");
  expect(exitCode ?? 0).toBe(0);
});

test("fails a strict run for a skip that nobody allowed", async () => {
  const { printed, exitCode } = await report({ any: { "(needs no-such-program": "a reason" } }, true);
  expect(printed).toContain("clones (needs no-such-program, /no/such/path) - a reason");
  expect(printed).toMatch(/1 skipped without a reason in scripts\/allowed-skips.json:\n.*decides late/);
  expect(exitCode).toBe(1);
});

test("passes a strict run if every skip has a reason", async () => {
  const allowed = { any: { clones: "a reason", "decides late": "another" } };
  expect((await report(allowed, true)).exitCode ?? 0).toBe(0);
});

test("a reason holds only for the runtimes it is listed under", () => {
  const allowed = { "node 20": { sqlite: "came later" } };
  expect(allowedReason(allowed, ["any", "linux", "node 20"], "x > opens sqlite")).toBe("came later");
  expect(allowedReason(allowed, ["any", "linux", "node 24"], "x > opens sqlite")).toBeNull();
});

test("knows programs, modules of Node and paths", () => {
  expect(["sh", "node:fs", process.execPath].map(isThere)).toEqual([true, true, true]);
  expect(["no-such-program", "node:no-such-module", "/no/such/path"].map(isThere)).toEqual([false, false, false]);
});
