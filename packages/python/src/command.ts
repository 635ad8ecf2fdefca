// How a worker is started: which program, with which words and environment.
import { delimiter, dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { BackendSpec } from "@gw/core";
import { findPython, type ProcessHooks } from "@gw/core/node";
import { pythonFor } from "./interpreter.ts";
import type { PythonInterface, PythonOptions } from "./options.ts";
import { capacityOf, defaultWorkers, MAX_SOCKETS } from "./sizing.ts";

/** The program of the workers; `py` lies beside `src` and beside `dist`. */
const SCRIPT = fileURLToPath(new URL("../py/gw_worker.py", import.meta.url));

const OLDEST = "3.9";

/** What the workers of an app are started with. */
export interface WorkerCommand {
  readonly spec: BackendSpec;
  /** Starts a worker that is no process. */
  readonly spawn?: NonNullable<ProcessHooks["spawn"]>;
  /** The interpreter and where it was found, for messages. */
  readonly interpreter: { readonly path: string; readonly version: string; readonly from: string };
}

/**
 * The backend spec of an app's workers.
 *
 * @param kind `"which"`: a program that prints which interface the app has, and ends
 * @throws GatewayError `GW_NO_INTERPRETER` if no Python of 3.9 or later is found
 */
export async function workerCommand(
  app: string,
  kind: PythonInterface | "which",
  options: PythonOptions,
  { hasSiblings = false, isShared = false }: { hasSiblings?: boolean; isShared?: boolean } = {},
): Promise<WorkerCommand> {
  const cwd = resolve(options.cwd ?? ".");
  const { python, venv } = options;
  const inherited = inheritedEnvironment();
  const wanted = pythonFor({
    cwd,
    env: inherited,
    ...(python !== undefined && { python }),
    ...(venv !== undefined && { venv }),
  });
  const found = await findPython({ candidates: [wanted.path], minVersion: OLDEST });
  const workers = options.workers ?? defaultWorkers();
  return {
    interpreter: { ...found, from: wanted.from },
    spec: {
      name: options.name ?? `python:${app}`,
      command: [
        found.path,
        "-u",
        SCRIPT,
        kind,
        app,
        JSON.stringify({ ...settingsOf(kind, options), workers, siblings: hasSiblings, shared: isShared }),
      ],
      cwd,
      env: {
        ...inherited,
        PYTHONUNBUFFERED: "1",
        // Compiled files are told apart by second and size: a quick change of one letter would not be seen.
        ...(options.reload === true && { PYTHONDONTWRITEBYTECODE: "1" }),
        // What the app starts by name comes from the same environment.
        PATH: `${dirname(found.path)}${delimiter}${inherited.PATH ?? ""}`,
        ...options.env,
      },
      processes: workers,
      socket: "none",
      ready: "spawn",
      startTimeoutMs: options.startTimeoutMs ?? 30_000,
      stopTimeoutMs: options.stopTimeoutMs ?? 10_000,
      backOffMs: options.backOffMs ?? [500, 30_000],
    },
  };
}

function settingsOf(kind: PythonInterface | "which", options: PythonOptions): object {
  const { threads = 8, reload = false, lifespan = "auto", graceMs = 5_000 } = options;
  const capacity = kind === "which" ? 0 : capacityOf(kind, options);
  const sockets = options.maxSockets ?? MAX_SOCKETS;
  return { threads, capacity, sockets, reload, lifespan, grace: graceMs / 1_000 };
}

/** The gateway's environment: it is the operator's own app. */
export function inheritedEnvironment(): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && !name.startsWith("NODE_")) env[name] = value;
  }
  return env;
}
