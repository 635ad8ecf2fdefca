// Requests that wait for something to become free: first come, first served, bounded in number and time.
import { GatewayError } from "../model/errors.ts";

/** How many may wait, and how long. */
export interface WaitQueueOptions {
  /** Requests that may wait; further ones are answered 503 at once. @default 64 */
  maxQueued?: number;
  /** Longest wait, milliseconds; then 503. @default 5_000 */
  queueTimeoutMs?: number;
}

/** A line of waiting requests. */
export class WaitQueue<T> {
  readonly #maxQueued: number;
  readonly #queueTimeoutMs: number;
  readonly #waiting: Set<(value: T) => void> = new Set();

  constructor({ maxQueued = 64, queueTimeoutMs = 5_000 }: WaitQueueOptions = {}) {
    this.#maxQueued = maxQueued;
    this.#queueTimeoutMs = queueTimeoutMs;
  }

  /** Requests that wait now. */
  get length(): number {
    return this.#waiting.size;
  }

  /**
   * Waits for a turn.
   *
   * @throws GatewayError `GW_UPSTREAM_BUSY` (503 with Retry-After) if too many wait already or it takes too long; the
   *   reason of `signal` if the client leaves first.
   */
  wait(signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      if (this.#waiting.size >= this.#maxQueued) return reject(busy(`${this.#waiting.size} requests wait already`));
      const done = (): void => {
        clearTimeout(late);
        signal.removeEventListener("abort", left);
        this.#waiting.delete(grant);
      };
      const grant = (value: T): void => {
        done();
        resolve(value);
      };
      const left = (): void => {
        done();
        reject(signal.reason);
      };
      const late = setTimeout(() => {
        done();
        reject(busy(`none became free within ${this.#queueTimeoutMs} ms`));
      }, this.#queueTimeoutMs);
      signal.addEventListener("abort", left);
      this.#waiting.add(grant);
    });
  }

  /** Gives the first in line its turn. @returns whether there was one */
  serve(value: T): boolean {
    const [first] = this.#waiting;
    first?.(value);
    return first !== undefined;
  }
}

function busy(why: string): GatewayError {
  return new GatewayError("GW_UPSTREAM_BUSY", 503, `every connection is in use, ${why}`, {
    headers: [["Retry-After", "1"]],
  });
}
