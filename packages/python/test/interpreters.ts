// The Python interpreters of this machine that the tests can use.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Interpreters that pyenv has installed, of versions that we support, and `python3`; by version. */
export function interpreters(): { version: string; path: string }[] {
  const versions = join(process.env.PYENV_ROOT ?? join(homedir(), ".pyenv"), "versions");
  const installed = existsSync(versions) ? readdirSync(versions).map((name) => join(versions, name, "bin/python")) : [];
  const found = new Map<string, string>();
  for (const path of ["python3", "/usr/bin/python3", ...installed]) {
    const version = versionOf(path);
    if (version !== null && !found.has(version)) found.set(version, path);
  }
  return [...found].map(([version, path]) => ({ version, path }));
}

function versionOf(path: string): string | null {
  try {
    const code = "import sys;print('%d.%d' % sys.version_info[:2])";
    const version = execFileSync(path, ["-c", code], { encoding: "utf8", stdio: "pipe" }).trim();
    return Number(version.split(".")[1]) >= 9 && version.startsWith("3.") ? version : null;
  } catch {
    return null;
  }
}
