// What a backend's spec must be, checked before anything starts.
import type { BackendSpec } from "../model/backend.ts";
import { GatewayError } from "../model/errors.ts";

const SOCKETS: readonly BackendSpec["socket"][] = ["fd0", "own-fd0", "path", "none"];
const READY: readonly BackendSpec["ready"][] = ["spawn", "connect", "line", "accept"];

/** A spec with its defaults. */
export type WholeSpec = BackendSpec &
  Required<Pick<BackendSpec, "processes" | "startTimeoutMs" | "drainTimeoutMs" | "stopTimeoutMs" | "backOffMs">>;

/**
 * The spec with its defaults filled in.
 *
 * @throws GatewayError `GW_BACKEND_SPEC` naming the field, what was found and what is allowed.
 */
export function checkSpec(spec: BackendSpec): WholeSpec {
  const whole: WholeSpec = {
    processes: 1,
    startTimeoutMs: 30_000,
    drainTimeoutMs: 0,
    stopTimeoutMs: 5_000,
    backOffMs: [1_000, 30_000],
    ...spec,
  };
  const [first, longest] = whole.backOffMs;
  const demand = (isMet: boolean, field: keyof BackendSpec, allowed: string): void => {
    if (!isMet) throw wrong(spec, field, allowed);
  };
  demand(spec.name !== "", "name", "a name");
  demand((spec.command[0] ?? "") !== "", "command", "[program, ...arguments]");
  checkProcesses(whole, whole.processes);
  demand((spec.maxProcesses ?? 1_024) >= whole.processes, "maxProcesses", "at least processes");
  demand(Object.keys(spec.files ?? {}).every(isPlainName), "files", "names without a slash");
  demand(whole.startTimeoutMs > 0, "startTimeoutMs", "milliseconds above 0");
  demand(whole.stopTimeoutMs >= 0, "stopTimeoutMs", "milliseconds");
  demand(first > 0 && longest >= first, "backOffMs", "[first, longest] in milliseconds, 0 < first <= longest");
  demand(whole.drainTimeoutMs >= 0, "drainTimeoutMs", "milliseconds");
  demand(SOCKETS.includes(spec.socket), "socket", SOCKETS.join(", "));
  demand(READY.includes(spec.ready), "ready", READY.join(", "));
  demand(
    spec.ready !== "accept" || spec.socket === "path" || spec.socket === "own-fd0",
    "ready",
    '"accept" only with socket "path" or "own-fd0": who accepts at a shared one is not known',
  );
  demand(
    spec.ready !== "connect" || spec.socket === "path",
    "ready",
    '"connect" only with socket "path": the others say nothing',
  );
  return whole;
}

function isPlainName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !name.includes("/");
}

/** @throws GatewayError `GW_BACKEND_SPEC` */
export function checkProcesses(spec: BackendSpec, processes: number): void {
  if (Number.isInteger(processes) && processes >= 0 && processes <= 1_024) return;
  throw wrong({ ...spec, processes }, "processes", "a whole number up to 1024");
}

function wrong(spec: BackendSpec, field: keyof BackendSpec, allowed: string): GatewayError {
  return new GatewayError(
    "GW_BACKEND_SPEC",
    500,
    `backend ${JSON.stringify(spec.name)}: ${field} is ${JSON.stringify(spec[field])}; allowed is ${allowed}`,
  );
}
