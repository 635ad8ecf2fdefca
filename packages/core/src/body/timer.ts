// How long the body of a request may take to arrive, on every carrier that has a wire (R-H6, R-F8).
import { GatewayError } from "../model/errors.ts";

/** A body that is arriving. */
export interface ArrivingBody {
  readonly receivedBytes: number;
  /** Whether the app waits for bytes the client has not sent. */
  readonly isWaiting: boolean;
}

/** How slow a body may be. */
export interface BodyPace {
  /** How long an app may wait for body bytes before `minBodyBytesPerSecond` counts, milliseconds. */
  readonly bodyTimeoutMs: number;
  /** Slowest upload while an app waits for it, bytes per second. 0: no limit. */
  readonly minBodyBytesPerSecond: number;
  /** From the head to the end of the body, milliseconds. 0: no limit. */
  readonly requestTimeoutMs: number;
}

/** Measures one body. Only time in which the app waits for the client counts against the client. */
export class BodyTimer {
  readonly #beganMs: number;
  readonly #code: string;
  #lookedMs: number;
  #waitedMs = 0;

  /** @param code of the errors: each carrier has its own */
  constructor(nowMs: number, code: string) {
    this.#beganMs = nowMs;
    this.#lookedMs = nowMs;
    this.#code = code;
  }

  /** The error (408) for a body that takes too long, or `null`. */
  check({ receivedBytes, isWaiting }: ArrivingBody, nowMs: number, pace: BodyPace): GatewayError | null {
    if (isWaiting) this.#waitedMs += nowMs - this.#lookedMs;
    this.#lookedMs = nowMs;
    const { bodyTimeoutMs, minBodyBytesPerSecond, requestTimeoutMs } = pace;
    const earnedMs =
      minBodyBytesPerSecond === 0 ? Number.POSITIVE_INFINITY : (receivedBytes / minBodyBytesPerSecond) * 1_000;
    if (this.#waitedMs > bodyTimeoutMs + earnedMs) {
      return this.#tooSlow(`the request body came slower than ${minBodyBytesPerSecond} bytes per second`);
    }
    if (requestTimeoutMs !== 0 && nowMs - this.#beganMs > requestTimeoutMs) {
      return this.#tooSlow(`the request took longer than ${requestTimeoutMs} ms to arrive`);
    }
    return null;
  }

  #tooSlow(message: string): GatewayError {
    return new GatewayError(this.#code, 408, message);
  }
}
