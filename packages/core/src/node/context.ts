// The context of a gateway that runs in this process: a real log, backends run by the supervisor.
import type { Backends } from "../model/backend.ts";
import type { AppContext } from "../model/context.ts";
import type { Logger } from "../model/log.ts";
import { createContext } from "../pipeline/context.ts";
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
  /** Module that loads apps in threads. @default `import()` */
  moduleLoader?: string;
}

/**
 * A context for one process: a log on standard error that never blocks,
 * metrics and counters in memory, and backends run by the supervisor of this process.
 */
export function nodeContext({ log, level, format, backends, ...given }: NodeContextOptions = {}): AppContext {
  const base = createContext({
    ...given,
    log: log ?? createLogger({ ...(level && { level }), ...(format && { format }) }),
  });
  return { ...base, backends: backends ?? createBackends(base) };
}
