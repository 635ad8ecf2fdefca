// Which Python interpreter an app wants: what was said, a virtual environment, then PATH.
import { accessSync, constants } from "node:fs";
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path";

/** Inputs of `pythonFor`. */
export interface PythonForOptions {
  /** A path, or a name on PATH; nothing else is looked at then. */
  python?: string;
  /** A virtual environment; relative to `cwd`. */
  venv?: string;
  /** Directory of the app, absolute; virtual environments are looked for here and above. */
  cwd: string;
  /** Environment with PATH, VIRTUAL_ENV, UV_PROJECT_ENVIRONMENT, CONDA_PREFIX. */
  env: Readonly<Record<string, string | undefined>>;
}

/** An interpreter to ask, and why this one. */
export interface WantedPython {
  /** Absolute path, or a bare name if it is not on PATH. */
  readonly path: string;
  /** Where it was found, for messages: `"VIRTUAL_ENV"`, `"/app/.venv"`, `"PATH"`. */
  readonly from: string;
}

const isWindows = process.platform === "win32";
const BIN = isWindows ? join("Scripts", "python.exe") : join("bin", "python");

/**
 * The interpreter for an app.
 *
 * In this order: `python`; `venv`; `VIRTUAL_ENV`; `UV_PROJECT_ENVIRONMENT`; `.venv` and `venv` in the directory of
 * the app and up to the project's root (the first one with `pyproject.toml`, `.git` or `setup.py`);
 * `CONDA_PREFIX`; `python3`, then `python` on PATH, which may be a pyenv shim.
 */
export function pythonFor({ python, venv, cwd, env }: PythonForOptions): WantedPython {
  if (python !== undefined) return { path: named(python, cwd, env), from: "the python option" };
  if (venv !== undefined) return { path: join(resolve(cwd, venv), BIN), from: "the venv option" };
  for (const name of ["VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT"]) {
    const path = inEnvironment(env[name], cwd);
    if (path !== null) return { path, from: name };
  }
  for (const folder of projectFolders(cwd)) {
    const path = inEnvironment(join(folder, ".venv"), cwd) ?? inEnvironment(join(folder, "venv"), cwd);
    if (path !== null) return { path, from: dirname(dirname(path)) };
  }
  const conda = inEnvironment(env.CONDA_PREFIX, cwd);
  if (conda !== null) return { path: conda, from: "CONDA_PREFIX" };
  return { path: onPath("python3", env) ?? onPath("python", env) ?? "python3", from: "PATH" };
}

function named(python: string, cwd: string, env: PythonForOptions["env"]): string {
  if (isAbsolute(python)) return python;
  if (/[/\\]/.test(python)) return resolve(cwd, python);
  return onPath(python, env) ?? python;
}

function inEnvironment(folder: string | undefined, cwd: string): string | null {
  if (folder === undefined || folder === "") return null;
  const path = join(resolve(cwd, folder), BIN);
  return isProgram(path) ? path : null;
}

const ROOTS = ["pyproject.toml", ".git", "setup.py"];

function projectFolders(cwd: string): string[] {
  const folders: string[] = [];
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    folders.push(folder);
    if (ROOTS.some((name) => isThere(join(folder, name)))) return folders;
    // Without a root in sight only the app's own directory is its project.
    if (dirname(folder) === folder) return folders.slice(0, 1);
  }
}

function onPath(name: string, env: PythonForOptions["env"]): string | null {
  for (const folder of (env.PATH ?? "").split(delimiter)) {
    const path = join(folder, isWindows ? `${name}.exe` : name);
    if (isAbsolute(folder) && isProgram(path)) return path;
  }
  return null;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isThere(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}
