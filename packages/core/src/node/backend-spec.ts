// What a backend's spec must be, checked before anything starts.
import type { BackendSpec } from "../model/backend.ts";
import { GatewayError } from "../model/errors.ts";

/** A spec with its defaults. */
export type WholeSpec = BackendSpec &
  Required<Pick<BackendSpec, "processes" | "startTimeoutMs" | "stopTimeoutMs" | "backOffMs">>;

/**
 * The spec with its defaults filled in.
 *
 * @throws GatewayError `GW_BACKEND_SPEC` naming the field, what was found and what is allowed.
 */
export function checkSpec(spec: BackendSpec): WholeSpec {
  const whole: WholeSpec = {
    processes: 1,
    startTimeoutMs: 30_000,
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
  demand(whole.startTimeoutMs > 0, "startTimeoutMs", "milliseconds above 0");
  demand(whole.stopTimeoutMs >= 0, "stopTimeoutMs", "milliseconds");
  demand(first > 0 && longest >= first, "backOffMs", "[first, longest] in milliseconds, 0 < first <= longest");
  demand(["fd0", "path", "none"].includes(spec.socket), "socket", '"fd0", "path" or "none"');
  demand(["spawn", "connect", "line"].includes(spec.ready), "ready", '"spawn", "connect" or "line"');
  demand(
    spec.ready !== "connect" || spec.socket === "path",
    "ready",
    '"connect" only with socket "path": the others say nothing',
  );
  return whole;
}

/** @throws GatewayError `GW_BACKEND_SPEC` */
export function checkProcesses(spec: BackendSpec, processes: number): void {
  if (Number.isInteger(processes) && processes >= 1 && processes <= 1_024) return;
  throw wrong({ ...spec, processes }, "processes", "a whole number from 1 to 1024");
}

function wrong(spec: BackendSpec, field: keyof BackendSpec, allowed: string): GatewayError {
  return new GatewayError(
    "GW_BACKEND_SPEC",
    500,
    `backend ${JSON.stringify(spec.name)}: ${field} is ${JSON.stringify(spec[field])}; allowed is ${allowed}`,
  );
}
