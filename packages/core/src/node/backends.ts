// The backends of this process, by name.
import type { Backend, Backends } from "../model/backend.ts";
import { GatewayError } from "../model/errors.ts";
import { type SuperviseOptions, superviseBackend } from "./supervisor.ts";

/** The backends that this process runs itself. */
export interface LocalBackends extends Backends {
  /** Those that have not been stopped, in the order of their start. */
  list(): readonly Backend[];
  /** Stops all of them. */
  stopAll(): Promise<void>;
}

/** Starts backends in this process; names are unique while they run. */
export function createBackends(options: Pick<SuperviseOptions, "log" | "metrics" | "clock">): LocalBackends {
  const running = new Map<string, Backend>();
  const list = (): Backend[] => [...running.values()].filter(({ state }) => state !== "stopped");
  return {
    list,
    async start(spec) {
      const found = running.get(spec.name);
      if (found !== undefined && found.state !== "stopped") {
        throw new GatewayError("GW_BACKEND_NAME", 500, `a backend named ${JSON.stringify(spec.name)} runs already`);
      }
      const backend = superviseBackend(spec, options);
      running.set(spec.name, backend);
      return backend;
    },
    async stopAll() {
      await Promise.all(list().map((backend) => backend.stop()));
    },
  };
}
