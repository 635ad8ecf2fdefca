// What the workers of an app say of themselves: to `gw routes` and `gw explain`, and to the status page.
import type { Backend, Description, GatewayError, Status } from "@gw/core";
import type { PythonInterface, PythonOptions } from "./options.ts";

/** The app, and how it is run. */
export function describeWorkers(app: string, kind: PythonInterface, options: PythonOptions): Description {
  const { engine = "process", threads = 8, cwd } = options;
  const how = engine === "wasm" ? { engine } : { threads };
  const facts = { ...(kind === "wsgi" && how), ...(cwd !== undefined && { cwd }) };
  return { kind: `python ${kind}`, name: app, facts };
}

/** How the workers are doing. */
export function statusOfWorkers(
  app: string,
  {
    backend,
    startError,
    facts,
  }: {
    readonly backend: Backend | null;
    readonly startError: GatewayError | null;
    readonly facts: Readonly<Record<string, number>>;
  },
): Status {
  return {
    name: app,
    state: backend?.state ?? (startError === null ? "starting" : "failed"),
    error: firstLine(backend?.lastError ?? startError?.message ?? null),
    facts,
  };
}

function firstLine(text: string | null): string | null {
  return text === null ? null : (text.split("\n", 1)[0] ?? "");
}
