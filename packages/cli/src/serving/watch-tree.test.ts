import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type TreeWatch, watchTree } from "./watch-tree.ts";

let folder: string;
let watch: TreeWatch | null = null;
let seen: string[];
let tell: (() => void) | null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gw-watch-"));
  for (const name of ["src", "node_modules", ".git", "data"]) mkdirSync(join(folder, name));
  seen = [];
  tell = null;
  watch = watchTree([folder], (file) => {
    seen.push(file.slice(folder.length + 1));
    tell?.();
  });
});

afterEach(() => {
  watch?.close();
  rmSync(folder, { recursive: true });
});

/** Settles at the next change that is told. */
function change(): Promise<void> {
  return new Promise((resolve) => {
    tell = resolve;
  });
}

function write(name: string, mode = 0o644): void {
  writeFileSync(join(folder, name), String(Math.random()), { mode });
}

test("tells of a source file that was written, renamed into place, or removed", async () => {
  for (const step of [
    () => write("src/app.ts"),
    () => {
      write("src/app.ts~");
      renameSync(join(folder, "src/app.ts~"), join(folder, "src/app.ts"));
    },
    () => rmSync(join(folder, "src/app.ts")),
  ]) {
    const told = change();
    step();
    await told;
  }
  expect(seen).toEqual(["src/app.ts", "src/app.ts", "src/app.ts"]);
});

test("tells once of a file that is written in several steps", async () => {
  const told = change();
  for (let step = 0; step < 5; step++) write("app.mjs");
  await told;
  expect(seen).toEqual(["app.mjs"]);
});

test("watches folders that appear later", async () => {
  const told = change();
  mkdirSync(join(folder, "later/deep"), { recursive: true });
  // The watch of a new folder begins a moment after its making, so the first write may fall before it.
  const timer = setInterval(() => write("later/deep/b.cjs"), 200);
  await told.finally(() => clearInterval(timer));
  expect(seen).toEqual(["later/deep/b.cjs"]);
});

test("stays quiet for packages, hidden and data folders, and files that are no source", async () => {
  for (const name of ["node_modules/x.js", ".git/index.js", "data/rows.json", "app.log", "entries.sqlite", "sessions"])
    write(name);
  const told = change();
  write("program", 0o755); // a script without an extension is one
  await told;
  expect(seen).toEqual(["program"]);
});

test("refuses a root that is no folder, and watches nothing then", () => {
  expect(() => watchTree([folder, join(folder, "nowhere")], () => {})).toThrow(
    expect.objectContaining({ code: "GW_START", message: expect.stringContaining(`cannot watch ${folder}/nowhere`) }),
  );
});
