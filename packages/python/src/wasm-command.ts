// How an app runs without a Python installed: Pyodide in a thread, with the app's directories mounted.
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { GatewayError } from "@gw/core";
import { inheritedEnvironment, type WorkerCommand } from "./command.ts";
import { pythonFor } from "./interpreter.ts";
import type { PythonOptions } from "./options.ts";
import { spawnThread } from "./wasm-thread.ts";

/** Where the worker's files are; `py` lies beside `src` and beside `dist`. */
const SCRIPTS: string = fileURLToPath(new URL("../py/", import.meta.url));

/**
 * The workers of an app on Pyodide. They are supervised like processes.
 *
 * @throws GatewayError `GW_NO_PYODIDE` if the package `pyodide` is not installed
 */
export function wasmCommand(app: string, options: PythonOptions): WorkerCommand {
  const version = pyodideVersion();
  const cwd = resolve(options.cwd ?? ".");
  const { reload = false, workers = 1 } = options;
  const folders = [...(options.packages ?? []).map((folder) => resolve(cwd, folder)), ...sitePackages(cwd, options)];
  const settings = { threads: 1, workers, siblings: false, reload };
  // What is the machine's own (PATH, HOME) means nothing in there.
  const env = { PYTHONDONTWRITEBYTECODE: "1", ...options.env };
  return {
    interpreter: { path: "pyodide", version, from: folders.join(", ") || "no virtual environment" },
    spec: {
      name: options.name ?? `python:${app}`,
      command: ["pyodide", app],
      cwd,
      env,
      processes: workers,
      socket: "none",
      ready: "spawn",
      startTimeoutMs: options.startTimeoutMs ?? 60_000,
      stopTimeoutMs: options.stopTimeoutMs ?? 10_000,
      backOffMs: options.backOffMs ?? [500, 30_000],
    },
    spawn: (child) =>
      spawnThread({
        ...child,
        script: join(SCRIPTS, "gw-worker-wasm.mjs"),
        scripts: SCRIPTS,
        app,
        settings,
        cwd,
        folders,
      }),
  };
}

function pyodideVersion(): string {
  try {
    const { version } = createRequire(import.meta.url)("pyodide/package.json") as { version: string };
    return version;
  } catch (cause) {
    const message = 'the engine "wasm" needs the package pyodide: npm i pyodide';
    throw new GatewayError("GW_NO_PYODIDE", 503, message, { cause });
  }
}

/** Packages of the virtual environment that the app would get; whether its interpreter works does not matter. */
function sitePackages(cwd: string, { venv }: PythonOptions): string[] {
  const { path, from } = pythonFor({ cwd, env: inheritedEnvironment(), ...(venv !== undefined && { venv }) });
  if (from === "PATH") return [];
  const folder = dirname(dirname(path));
  try {
    const found = readdirSync(join(folder, "lib")).filter((name) => name.startsWith("python3"));
    return found.map((name) => join(folder, "lib", name, "site-packages"));
  } catch {
    return [join(folder, "Lib", "site-packages")]; // as on Windows
  }
}
