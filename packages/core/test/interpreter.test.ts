import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requires } from "@gw-private/requires";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findPython } from "../src/node/interpreter.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "gw-interpreter-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** A program that answers as an interpreter of this version would. */
function pretend(name: string, version: string, passes = 1): string {
  const path = join(directory, name);
  writeFileSync(path, `#!/bin/sh\nprintf '%s\\n' ${path} ${version} ${passes}\n`);
  chmodSync(path, 0o755);
  return path;
}

requires("python3")("finds the interpreter itself, by an absolute path", async () => {
  const found = await findPython({ test: "hasattr(os, 'getpid')" });
  expect(found.path).toMatch(/^\/.*python/);
  expect(found.version).toMatch(/^3\.\d+\.\d+$/);
});

test("takes the first candidate that is new enough", async () => {
  pretend("python3", "3.7.9");
  const path = pretend("python", "3.10.1");
  expect(await findPython({ searchPath: `${directory}:/bin` })).toEqual({ path, version: "3.10.1" });
});

test("says for each candidate why it will not do", async () => {
  pretend("python3", "2.7.18");
  pretend("odd", "3.12.0", 0);
  const found = findPython({ candidates: ["missing", "python3", "odd"], searchPath: `${directory}:/bin`, test: "x" });
  await expect(found).rejects.toMatchObject({
    code: "GW_NO_INTERPRETER",
    message: expect.stringMatching(/missing: not found; python3: version 2.7.18; odd: does not fulfil x/),
  });
});

test("does not wait for one that never answers", async () => {
  const path = join(directory, "python3");
  writeFileSync(path, "#!/bin/sh\nexec sleep 60\n");
  chmodSync(path, 0o755);
  await expect(findPython({ candidates: [path], timeoutMs: 50 })).rejects.toMatchObject({ code: "GW_NO_INTERPRETER" });
});
