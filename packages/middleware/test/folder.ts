// A folder of its own for a test, gone afterwards.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A new empty folder; removed when the running test has finished. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "gw-middleware-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
