// What goes wrong between a request and its thread.
import { GatewayError } from "@gw/core";

const RETRY_SOON = { headers: [["Retry-After", "1"]] } as const;

/** A client that left. */
export function clientGone(): GatewayError {
  return new GatewayError("GW_THREAD_GONE", 499, "the client left before the answer was complete");
}

/** What was under way in a thread that has ended. */
export function threadDied(how: string): GatewayError {
  return new GatewayError("GW_THREAD_DIED", 502, `the thread of the app ${how}`);
}

/** A step of the app that does not end. */
export function threadHangs(timeoutMs: number): GatewayError {
  return new GatewayError("GW_THREAD_TIMEOUT", 504, `the app did not come back within ${timeoutMs} ms`);
}

/** Threads with no room, and a queue without it, too. */
export function threadsBusy(why: string): GatewayError {
  return new GatewayError("GW_THREAD_BUSY", 503, `the threads of the app are busy: ${why}`, RETRY_SOON);
}

/** An app without a thread that could run it. */
export function appDown(app: string, why: string, cause?: unknown): GatewayError {
  const options = cause === undefined ? RETRY_SOON : { ...RETRY_SOON, cause };
  return new GatewayError("GW_THREAD_DOWN", 503, `the app ${app} cannot serve: ${why}`, options);
}

/** A request or an answer whose head is longer than threads can hand on. */
export function headTooLong(status: number): GatewayError {
  return new GatewayError("GW_THREAD_HEAD", status, "a head is longer than what fits between threads");
}
