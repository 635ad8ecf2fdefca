// What an app is given at start when no carrier knows better: this process's own parts.
import type { Backends } from "../model/backend.ts";
import type { AppContext } from "../model/context.ts";
import { GatewayError } from "../model/errors.ts";
import { silentLogger } from "../model/log.ts";
import { createCounters } from "./counters.ts";
import { createMetrics } from "./metrics.ts";
import { createPermits } from "./permits.ts";

/**
 * An AppContext from the given parts; the missing ones live in this process.
 *
 * Without `log`, nothing is logged; without `backends`, starting one throws
 * `GW_NO_BACKENDS` (`nodeContext` of `@gw/core/node` runs them).
 */
export function createContext({
  log = silentLogger,
  backends = noBackends,
  counters = createCounters(),
  metrics = createMetrics(),
  permits = createPermits({ metrics }),
  ...processFacts
}: Partial<AppContext> = {}): AppContext {
  return { log, backends, counters, metrics, permits, ...processFacts };
}

const noBackends: Backends = {
  start: (spec) =>
    Promise.reject(
      new GatewayError(
        "GW_NO_BACKENDS",
        500,
        `cannot start ${spec.name}: this context runs no programs; use nodeContext() of @gw/core/node`,
      ),
    ),
};
