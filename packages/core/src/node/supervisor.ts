// Keeps the processes of a backend running.
import type { Backend, BackendSpec } from "../model/backend.ts";
import { GatewayError } from "../model/errors.ts";
import type { Logger } from "../model/log.ts";

/** What a supervised backend needs of its gateway. */
export interface SuperviseOptions {
  log: Logger;
}

/** Starts a backend's processes and keeps them running. */
export function superviseBackend(spec: BackendSpec, _options: SuperviseOptions): Backend {
  throw new GatewayError("GW_BACKEND", 500, `cannot start the backend ${spec.name} yet`);
}
