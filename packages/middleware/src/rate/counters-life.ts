// Whose counters a limit counts in: given ones, which have a life of their own, or those of the gateway.
import { type Counters, type Lifecycle, startOnce, stopOnce } from "@gw/core";

/** Starts and stops counters that were given; else hands over those of the gateway at start. */
export function countersLife(
  given: (Counters & Lifecycle) | undefined,
  share: (counters: Counters) => void,
): Pick<Lifecycle, "start" | "stop"> {
  if (given === undefined) return { start: (context) => share(context.counters) };
  return { start: (context) => startOnce(given, context), stop: (deadline) => stopOnce(given, deadline) };
}
