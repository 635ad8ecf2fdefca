// What can be said about the workers of a Python app.
import { GatewayError } from "@gw/core";

/** Inputs of `PythonWorkers`, and of `pythonWsgi` and `pythonAsgi`. */
export interface PythonOptions {
  /**
   * What runs the app. `"process"`: Python worker processes. `"wasm"`: Pyodide in threads of this process, without any
   * Python installed; WSGI only, pure Python packages only (docs/python.md). @default "process"
   */
  engine?: "process" | "wasm";
  /** `"wasm"`: directories with packages, beside those of a virtual environment that is found; relative to `cwd`. @default none */
  packages?: readonly string[];
  /** Directory of the app: where its module is found, and its working directory. @default the gateway's */
  cwd?: string;
  /** Interpreter: a path, or a name on PATH. @default found: virtual environment, then `python3` on PATH (docs/python.md) */
  python?: string;
  /** Virtual environment whose interpreter is used; relative to `cwd`. */
  venv?: string;
  /** Worker processes. @default cores that are left beside the gateway: at least 1, at most 4 */
  workers?: number;
  /** WSGI: requests a worker runs at the same time. 1: no thread at all, for apps that are not thread-safe. @default 8 */
  threads?: number;
  /** ASGI: requests a worker has at the same time, and openings of sockets. @default 1_000 */
  maxConcurrent?: number;
  /** ASGI: sockets that a worker has open, for all gateway processes together; more are answered 503. @default 10_000 */
  maxSockets?: number;
  /** Requests that wait for a free worker; more are answered 503. @default 1_000 */
  maxQueued?: number;
  /** Time in that queue before 503, milliseconds. @default 30_000 */
  queueTimeoutMs?: number;
  /**
   * Time to the head of an answer, milliseconds; the client's own slowness does not count. Then: 504, the stacks of
   * the worker in the log, and a new worker in its place. 0: none. @default 60_000
   */
  timeoutMs?: number;
  /** Requests after which a worker is replaced, plus up to a tenth so that not all are at once. 0: never. @default 0 */
  maxRequests?: number;
  /** Variables added to the worker's environment, which is the gateway's. */
  env?: Readonly<Record<string, string>>;
  /** Replaces the workers when a file of the app changes. @default false */
  reload?: boolean;
  /** Time to import the app, milliseconds. @default 30_000 */
  startTimeoutMs?: number;
  /** Time a worker has to finish what is under way before it is stopped, milliseconds. @default 10_000 */
  stopTimeoutMs?: number;
  /** First and longest pause before a worker that failed is started again, milliseconds. @default [500, 30_000] */
  backOffMs?: readonly [first: number, longest: number];
  /** ASGI: whether the app is told of start and stop. @default "auto" */
  lifespan?: "auto" | "on" | "off";
  /** ASGI: time a call may go on without its client before its task is cancelled, milliseconds. @default 5_000 */
  graceMs?: number;
  /** Name in logs and metrics. @default the app's */
  name?: string;
}

/** Which interface an app has. */
export type PythonInterface = "wsgi" | "asgi";

const APP = /^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(\(\))?$/;

const COUNTS = ["workers", "threads", "maxConcurrent", "maxSockets"] as const;
const AMOUNTS = ["maxQueued", "queueTimeoutMs", "timeoutMs", "maxRequests", "stopTimeoutMs", "graceMs"] as const;

/**
 * Checks what was written, before anything starts.
 *
 * @throws GatewayError `GW_PYTHON_OPTION` naming the option, what was found and what is allowed
 */
export function checkOptions(app: string, options: PythonOptions): void {
  if (!APP.test(app)) throw wrong("app", app, '"module:attribute" or "module:factory()"');
  const { engine = "process", threads = 1 } = options;
  if (engine !== "process" && engine !== "wasm") throw wrong("engine", engine, '"process" or "wasm"');
  if (engine === "wasm" && threads !== 1) throw wrong("threads", threads, '1 with the engine "wasm"');
  for (const name of COUNTS) check(name, options[name], 1);
  for (const name of AMOUNTS) check(name, options[name], 0);
}

function check(name: string, value: number | undefined, least: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= least)) return;
  throw wrong(name, value, `a whole number from ${least} on`);
}

function wrong(name: string, found: unknown, allowed: string): GatewayError {
  return new GatewayError("GW_PYTHON_OPTION", 500, `${name} is ${JSON.stringify(found)}; allowed is ${allowed}`);
}
