// Real environments on disk: the app runs in the one that is found, with its packages.
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { requires } from "@gw-private/requires";
import { afterAll, afterEach, expect, vi } from "vitest";
import { type PythonTestApp, start } from "./python-app.ts";

const withVenv = requires("python3");
const root = realpathSync(mkdtempSync(join(tmpdir(), "gw-venv-")));
const running: PythonTestApp[] = [];

const WHERE = `import os, sys, own_package

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return ["\\n".join((sys.prefix, own_package.NAME, os.environ["PATH"].split(os.pathsep)[0])).encode()]
`;

/** A virtual environment with a package of its own. */
function environment(path: string): string {
  const folder = join(root, path);
  execFileSync("python3", ["-m", "venv", "--without-pip", folder]);
  const words = ["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"];
  const packages = execFileSync(join(folder, "bin/python"), words, { encoding: "utf8" }).trim();
  writeFileSync(join(packages, "own_package.py"), `NAME = "package of ${path}"\n`);
  return folder;
}

/** Once, when a test needs them: without a Python there is none. */
function makeProject(): void {
  if (existsSync(join(root, "project"))) return;
  mkdirSync(join(root, "project/src"), { recursive: true });
  writeFileSync(join(root, "project/pyproject.toml"), "");
  writeFileSync(join(root, "project/src/where.py"), WHERE);
  for (const path of ["project/.venv", "other"]) environment(path);
}

afterAll(() => rmSync(root, { recursive: true }));
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
});

async function linesOf(options: Parameters<typeof start>[1]): Promise<string[]> {
  makeProject();
  const app = await start("where:app", { cwd: join(root, "project/src"), ...options });
  running.push(app);
  return (await app.request("/")).text().split("\n");
}

withVenv("an app in a folder of a project runs in the project's .venv", async () => {
  vi.stubEnv("VIRTUAL_ENV", undefined);
  const venv = join(root, "project/.venv");
  expect(await linesOf({})).toEqual([venv, "package of project/.venv", join(venv, "bin")]);
});

withVenv("the active environment goes before it, and the option before both", async () => {
  const other = join(root, "other");
  vi.stubEnv("VIRTUAL_ENV", other);
  expect((await linesOf({}))[1]).toBe("package of other");
  expect((await linesOf({ venv: "../.venv" }))[1]).toBe("package of project/.venv");
});

withVenv("a wrapper such as pyenv's is asked once, and not run for each worker", async () => {
  const shims = join(root, "shims");
  mkdirSync(shims);
  const runs = join(root, "runs");
  writeFileSync(
    join(shims, "python3"),
    `#!/bin/sh\necho run >> ${runs}\nexec ${join(root, "other/bin/python")} "$@"\n`,
  );
  chmodSync(join(shims, "python3"), 0o755);
  makeProject();
  rmSync(join(root, "project/.venv"), { recursive: true });
  vi.stubEnv("VIRTUAL_ENV", undefined);
  vi.stubEnv("PATH", `${shims}${delimiter}${process.env.PATH}`);
  expect((await linesOf({ workers: 3 }))[1]).toBe("package of other");
  expect(execFileSync("wc", ["-l", runs], { encoding: "utf8" }).trim()).toBe(`1 ${runs}`);
});
