// wsgi:, asgi: and python: an app in a Python module.
import type { AppSource } from "@gw/core";
import type { PythonOptions } from "@gw/python";
import type { TargetOptions } from "./target.ts";
import type { TargetKind } from "./target-kind.ts";

const COMMON = {
  cwd: "path",
  python: "text",
  venv: "path",
  workers: "number",
  maxQueued: "number",
  queueTimeoutMs: "number",
  timeoutMs: "number",
  maxRequests: "number",
  env: "record",
  reload: "switch",
  startTimeoutMs: "number",
  stopTimeoutMs: "number",
  name: "text",
} as const satisfies TargetOptions;

const WSGI = {
  ...COMMON,
  threads: "number",
  engine: ["process", "wasm"],
  packages: "list",
} as const satisfies TargetOptions;

const ASGI = {
  ...COMMON,
  maxConcurrent: "number",
  maxSockets: "number",
  lifespan: ["auto", "on", "off"],
  graceMs: "number",
} as const satisfies TargetOptions;

/** The kinds whose place is `module:attribute`, relative to the folder of the target unless `cwd` says otherwise. */
export const PYTHON_KINDS: readonly TargetKind[] = [
  {
    name: "wsgi",
    example: "wsgi:module:app",
    help: "a Python WSGI app (Flask, Django)",
    place: "name",
    options: WSGI,
    follows: ["python", "threads", "reload"],
    build: (app, options, folder) => wsgi(app, { cwd: folder, ...options }),
  },
  {
    name: "asgi",
    example: "asgi:module:app",
    help: "a Python ASGI app (FastAPI, Starlette)",
    place: "name",
    options: ASGI,
    follows: ["python", "reload"],
    build: (app, options, folder) => asgi(app, { cwd: folder, ...options }),
  },
  {
    name: "python",
    example: "python:module:app",
    help: "either of them: the app is imported to find out",
    place: "name",
    options: { ...WSGI, ...ASGI },
    follows: ["python", "threads", "reload"],
    build: (app, options, folder) => either(app, { cwd: folder, ...options }),
  },
];

async function wsgi(app: string, options: PythonOptions): Promise<AppSource> {
  const { pythonWsgi } = await import("@gw/wsgi");
  return pythonWsgi(app, options);
}

async function asgi(app: string, options: PythonOptions): Promise<AppSource> {
  const { pythonAsgi } = await import("@gw/asgi");
  return pythonAsgi(app, options);
}

async function either(app: string, options: PythonOptions): Promise<AppSource> {
  const { pythonInterface } = await import("@gw/python");
  // One that cannot be imported says why when its workers start.
  return (await pythonInterface(app, options)) === "asgi" ? asgi(app, options) : wsgi(app, options);
}
