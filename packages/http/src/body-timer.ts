// How long the body of a request may take to arrive (R-H6).
import { GatewayError } from "@gw/core";
import type { HttpLimits } from "./limits.ts";

/** A body that is arriving. */
export interface ArrivingBody {
  readonly receivedBytes: number;
  /** Whether the app waits for bytes the client has not sent. */
  readonly isWaiting: boolean;
}

/** Measures one body. Only time in which the app waits for the client counts against the client. */
export class BodyTimer {
  readonly #beganMs: number;
  #lookedMs: number;
  #waitedMs = 0;

  constructor(nowMs: number) {
    this.#beganMs = nowMs;
    this.#lookedMs = nowMs;
  }

  /** The error for a body that takes too long, or `null`. */
  check({ receivedBytes, isWaiting }: ArrivingBody, nowMs: number, limits: HttpLimits): GatewayError | null {
    if (isWaiting) this.#waitedMs += nowMs - this.#lookedMs;
    this.#lookedMs = nowMs;
    const { bodyTimeoutMs, minBodyBytesPerSecond, requestTimeoutMs } = limits;
    const earnedMs =
      minBodyBytesPerSecond === 0 ? Number.POSITIVE_INFINITY : (receivedBytes / minBodyBytesPerSecond) * 1_000;
    if (this.#waitedMs > bodyTimeoutMs + earnedMs) {
      return tooSlow(`the request body came slower than ${minBodyBytesPerSecond} bytes per second`);
    }
    if (requestTimeoutMs !== 0 && nowMs - this.#beganMs > requestTimeoutMs) {
      return tooSlow(`the request took longer than ${requestTimeoutMs} ms to arrive`);
    }
    return null;
  }
}

function tooSlow(message: string): GatewayError {
  return new GatewayError("GW_HTTP_BODY_SLOW", 408, message);
}
