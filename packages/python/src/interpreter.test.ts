import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { pythonFor } from "./interpreter.ts";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "gw-python-"));
});

afterEach(() => rmSync(root, { recursive: true }));

function program(path: string, script = "#!/bin/sh\n"): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, script);
  chmodSync(file, 0o755);
  return file;
}

describe("the interpreter of an app", () => {
  test("is the one that was named, by path or on PATH", () => {
    program("project/.venv/bin/python");
    const other = program("bin/python3.9");
    const cwd = join(root, "project");
    expect(pythonFor({ python: other, cwd, env: {} }).path).toBe(other);
    expect(pythonFor({ python: "../bin/python3.9", cwd, env: {} }).path).toBe(other);
    expect(pythonFor({ python: "python3.9", cwd, env: { PATH: join(root, "bin") } }).path).toBe(other);
  });

  test("is that of the active virtual environment before that of the project", () => {
    const active = program("active/bin/python");
    program("project/.venv/bin/python");
    const found = pythonFor({ cwd: join(root, "project"), env: { VIRTUAL_ENV: join(root, "active") } });
    expect(found).toEqual({ path: active, from: "VIRTUAL_ENV" });
  });

  test("is that of .venv in the project, also for an app in a folder of it", () => {
    const own = program("project/.venv/bin/python");
    program("project/pyproject.toml");
    mkdirSync(join(root, "project/src/site"), { recursive: true });
    expect(pythonFor({ cwd: join(root, "project/src/site"), env: {} }).path).toBe(own);
  });

  test("is none from above the project's root", () => {
    program(".venv/bin/python");
    program("project/pyproject.toml");
    const onPath = program("bin/python3");
    expect(pythonFor({ cwd: join(root, "project"), env: { PATH: join(root, "bin") } }).path).toBe(onPath);
  });

  test("is that of uv's environment, then conda's, then python3 on PATH", () => {
    const uv = program("uv/bin/python");
    const conda = program("conda/bin/python");
    const env = { UV_PROJECT_ENVIRONMENT: "../uv", CONDA_PREFIX: join(root, "conda"), PATH: join(root, "bin") };
    mkdirSync(join(root, "project"));
    const cwd = join(root, "project");
    expect(pythonFor({ cwd, env }).path).toBe(uv);
    expect(pythonFor({ cwd, env: { ...env, UV_PROJECT_ENVIRONMENT: "" } }).path).toBe(conda);
    expect(pythonFor({ cwd, env: { PATH: "" } })).toEqual({ path: "python3", from: "PATH" });
  });
});
