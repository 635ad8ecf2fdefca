import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FileWatch } from "./watch.ts";

let folder: string;
let watch: FileWatch;
let told: (path: string) => void;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gw-watch-"));
  watch = new FileWatch((path) => told(path));
});
afterEach(() => {
  watch.close();
  rmSync(folder, { recursive: true });
});

function change(): Promise<string> {
  return new Promise((done) => {
    told = done;
  });
}

test("tells of a listed file that was written, and of no other in its folder", async () => {
  const [app, other] = [join(folder, "app.py"), join(folder, "other.py")];
  writeFileSync(app, "1");
  watch.add([app]);
  const next = change();
  writeFileSync(other, "1");
  writeFileSync(app, "22");
  expect(await next).toBe(app);
});

test("a file that was written after its reader had begun counts as changed, once", async () => {
  const app = join(folder, "app.py");
  const begun = Date.now() - 1_000;
  writeFileSync(app, "1");
  const first = change();
  watch.add([app], begun);
  expect(await first).toBe(app);
  const second = change();
  watch.add([app], begun); // known by now
  writeFileSync(app, "333");
  expect(await second).toBe(app);
});

test("one that was written before is as it was read", async () => {
  const [app, late] = [join(folder, "app.py"), join(folder, "late.py")];
  writeFileSync(app, "1");
  writeFileSync(late, "1");
  watch.add([app], Date.now() + 1_000);
  const next = change();
  watch.add([late], Date.now() - 1_000);
  expect(await next).toBe(late);
});
