// One timer that looks at every connection: no timer, no listener and no clock reading per request.
import type { HttpLimits } from "./limits.ts";
import type { ServerState } from "./server-state.ts";

/** Longest time between two looks. */
const USUAL_MS = 1_000;
/** Shortest; also while draining, when idle connections close after a moment. */
const FAST_MS = 20;

/** The timer of a server. */
export interface Watch {
  /** Looks more often: the server is closing. */
  hurry(): void;
  stop(): void;
}

/** Starts looking at the connections of a server. */
export function watchConnections(state: ServerState): Watch {
  const look = (): void => {
    state.now = performance.now();
    for (const connection of state.connections) connection.check(state.now);
  };
  let timer = setInterval(look, intervalFor(state.limits)).unref();
  return {
    hurry() {
      clearInterval(timer);
      // Keeps the process alive: an ended connection of node:http2 does not, and what is left to do must be done.
      // Requests that came while our loop stood still are read between a timer and a `setImmediate`: a connection must
      // not be closed as idle over them.
      timer = setInterval(() => setImmediate(look), FAST_MS);
    },
    stop: () => clearInterval(timer),
  };
}

/** A quarter of the shortest limit, so that none is overrun by more than that. */
function intervalFor(limits: HttpLimits): number {
  const times = [
    limits.headerTimeoutMs,
    limits.bodyTimeoutMs,
    limits.requestTimeoutMs,
    limits.keepAliveTimeoutMs,
    limits.handshakeTimeoutMs,
  ].filter((ms) => ms > 0);
  return Math.max(FAST_MS, Math.min(USUAL_MS, Math.min(...times) / 4));
}
