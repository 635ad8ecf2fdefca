// The backends of this process, by name.
import type { Backend, BackendSpec, Backends } from "../model/backend.ts";
import { type SuperviseOptions, superviseBackend } from "./supervisor.ts";

/** Starts backends in this process; names are unique. */
export function createBackends(options: SuperviseOptions): Backends {
  const running = new Map<string, Backend>();
  return {
    async start(spec: BackendSpec) {
      const backend = superviseBackend(spec, options);
      running.set(spec.name, backend);
      return backend;
    },
  };
}
