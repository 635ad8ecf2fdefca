// Tests that need something of the machine: they run where it exists, and say what is missing where it does not.
import { accessSync, constants, existsSync } from "node:fs";
import { isBuiltin } from "node:module";
import { delimiter, isAbsolute, join } from "node:path";
import { type TestFunction, test } from "vitest";

/** Declares one test, as vitest's `test` does. */
export type DeclareTest = (title: string, body: TestFunction, timeoutMs?: number) => void;

/**
 * Returns vitest's `test` if everything named is there, else one that skips and says why in its title.
 *
 * A need is a program on PATH (`"git"`), a module of Node (`"node:sqlite"`), an absolute path (`"/proc/self/environ"`), or
 * `"root privileges"`.
 * In CI a skipped test fails the run unless `scripts/allowed-skips.json` has a reason for it.
 *
 * ```ts
 * requires("git", "curl")("clones a repository", async () => { … });
 * ```
 */
export function requires(...needs: readonly string[]): DeclareTest {
  const missing = needs.filter((need) => !isThere(need));
  if (missing.length === 0) return (title, body, timeoutMs) => test(title, body, timeoutMs);
  return (title, body) => test.skip(`${title} (needs ${missing.join(", ")})`, body);
}

/** Says whether a program, a module of Node, a path or a privilege is there. */
export function isThere(need: string): boolean {
  if (need === "root privileges") return process.getuid?.() === 0;
  if (need.startsWith("node:")) return isBuiltin(need);
  if (isAbsolute(need)) return existsSync(need);
  const suffixes = process.platform === "win32" ? [".exe", ".cmd", ".bat"] : [""];
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.some((folder) => suffixes.some((suffix) => isExecutable(join(folder, need + suffix))));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
