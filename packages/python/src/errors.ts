// What goes wrong between a request and its worker.
import { GatewayError } from "@gw/core";

/** An app that raised an exception, or did not finish its answer. */
export function appError(message: string): GatewayError {
  return new GatewayError("GW_PYTHON_APP", 500, `the Python app failed: ${message}`);
}

/** A client that left; nobody reads this, the log apart. */
export function clientGone(): GatewayError {
  return new GatewayError("GW_PYTHON_GONE", 400, "the client left before the answer was complete");
}

/** What was under way in a worker that has died. */
export function workerLost(how: string): GatewayError {
  return new GatewayError("GW_PYTHON_DIED", 502, `the Python worker ${how}`);
}

/** An answer that did not begin in time. */
export function tooLate(): GatewayError {
  return new GatewayError("GW_PYTHON_TIMEOUT", 504, "the Python app did not answer in time");
}

/** Workers with no room, and a queue without it, too. */
export function workersBusy(why: string): GatewayError {
  return new GatewayError("GW_PYTHON_BUSY", 503, `the Python workers are busy: ${why}`, retrySoon);
}

/** An opening that nobody has room for: sockets last, so nobody waits for one to close. */
export function tooManySockets(): GatewayError {
  return workersBusy("they have as many sockets open as maxSockets allows");
}

/** An app without a worker that can serve it. */
export function appDown(app: string, why: string): GatewayError {
  return new GatewayError("GW_PYTHON_DOWN", 503, `the Python app ${app} cannot serve: ${why}`, retrySoon);
}

const retrySoon = { headers: [["Retry-After", "1"]] } as const;
