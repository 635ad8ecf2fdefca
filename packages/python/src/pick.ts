// Which worker gets the next request or socket.
import { tooManySockets } from "./errors.ts";
import type { Worker } from "./worker.ts";

/** The worker with the fewest requests under way that takes another one; `null`: none does. */
export function workerForRequest(workers: Iterable<Worker>): Worker | null {
  let best: Worker | null = null;
  for (const worker of workers) {
    if (worker.hasRoom && (best === null || worker.requests < best.requests)) best = worker;
  }
  return best;
}

/**
 * The worker with the fewest requests and open sockets that takes another one; `null`: none does at the moment.
 *
 * @throws GatewayError `GW_PYTHON_BUSY` (503) when all of them have as many sockets as they may: those last, so nobody waits
 */
export function workerForSocket(workers: readonly Worker[]): Worker | null {
  let best: Worker | null = null;
  for (const worker of workers) {
    if (worker.hasRoom && worker.hasSocketRoom && (best === null || worker.load < best.load)) best = worker;
  }
  if (best === null && workers.length > 0 && workers.every(({ hasSocketRoom }) => !hasSocketRoom))
    throw tooManySockets();
  return best;
}
