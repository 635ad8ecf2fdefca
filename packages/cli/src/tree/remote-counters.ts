// The counters of a worker: its primary counts for all workers.
import type { Counters } from "@gw/core";
import type { PrimaryLink } from "./remote-backends.ts";

/** Counters that live in the primary, so that a limit holds for the gateway and not for each worker. */
export function remoteCounters(primary: PrimaryLink): Counters {
  return { hit: (key, { windowMs, by = 1 }) => primary.call("hit", { key, windowMs, by }) };
}
