import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

/** The closing line and the exit code for a set of results: [passed, failed] of each run, and the failed steps. */
function close(runs: readonly (readonly [number, number])[], failedSteps: number): [string, number | null] {
  const folder = mkdtempSync(join(tmpdir(), "gw-count-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  runs.forEach(([numPassedTests, numFailedTests], index) => {
    writeFileSync(join(folder, `node-${index}.json`), JSON.stringify({ numPassedTests, numFailedTests }));
  });
  const script = join(import.meta.dirname, "count-tests.mjs");
  const { stdout, status } = spawnSync(process.execPath, [script, folder, String(failedSteps)], { encoding: "utf8" });
  return [stdout, status];
}

test("adds up the tests of all runs", () => {
  expect(
    close(
      [
        [10, 0],
        [9, 0],
      ],
      0,
    ),
  ).toEqual(["19 passed, 0 failed\n", 0]);
});

test("a failed test fails the whole", () => {
  expect(
    close(
      [
        [10, 0],
        [8, 2],
      ],
      1,
    ),
  ).toEqual(["18 passed, 2 failed\n", 1]);
});

test("a step that failed without a failing test is counted", () => {
  expect(close([[10, 0]], 2)).toEqual(["10 passed, 2 failed\n", 1]);
});

test("no results at all is a failure", () => {
  expect(close([], 0)).toEqual(["0 passed, 1 failed\n", 1]);
});
