// The context of a gateway that runs in this process: a real log, backends run by the supervisor.
import type { AppContext, Backends } from "../model/context.ts";
import type { Logger } from "../model/log.ts";
import { createBackends } from "./backends.ts";
import { createLogger, type LogLevel } from "./logger.ts";

/** Settings of `nodeContext`. */
export interface NodeContextOptions {
  /** @default a text logger on standard error */
  log?: Logger;
  /** Level of the default logger. @default "info" */
  level?: LogLevel;
  /** Format of the default logger. @default "text" */
  format?: "text" | "json";
  /** @default backends are run by this process */
  backends?: Backends;
  /** @default counted in this process */
  counters?: AppContext["counters"];
  /** @default a registry of this process */
  metrics?: AppContext["metrics"];
}

/** A context for one process: a real log, metrics and counters in memory, backends run by the supervisor. */
export function nodeContext({ log, level, format, ...given }: NodeContextOptions = {}): AppContext {
  const logger = log ?? createLogger({ ...(level && { level }), ...(format && { format }) });
  return { log: logger, backends: createBackends({ log: logger }), counters: uncounted, metrics: unmeasured, ...given };
}

const uncounted: AppContext["counters"] = { hit: () => ({ count: 1, previous: 0, resetMs: 0 }) };
const sample = { add: () => {}, set: () => {}, observe: () => {} };
const unmeasured: AppContext["metrics"] = {
  counter: () => sample,
  gauge: () => sample,
  histogram: () => sample,
  toText: () => "",
};
