// Small repositories for the tests of the rules.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { type Finding, openRepository, type Repository } from "./repository.ts";

/** Writes files (path → text) into a folder that lives as long as the test, and opens it. */
export function repositoryOf(files: Readonly<Record<string, string>>): Repository {
  const root = mkdtempSync(join(tmpdir(), "gw-house-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return openRepository(root);
}

/** A package.json of a package in the fixture: entries by subpath, then dependencies. */
export function manifestOf(
  name: string,
  entries: Readonly<Record<string, string>> = { ".": "./dist/index.js" },
  dependencies: readonly string[] = [],
): string {
  const exports = Object.fromEntries(Object.entries(entries).map(([subpath, file]) => [subpath, { default: file }]));
  const ranges = Object.fromEntries(dependencies.map((dependency) => [dependency, "0.0.0"]));
  return JSON.stringify({ name, version: "0.0.0", exports, dependencies: ranges });
}

/** `file:line message` of each finding. */
export function shown(findings: readonly Finding[]): string[] {
  return findings.map(({ file, line, message }) => `${file}:${line} ${message}`);
}
