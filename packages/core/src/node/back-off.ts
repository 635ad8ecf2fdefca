// How long to wait before a crashed process is started again (R-O3).

/** Inputs of BackOff. */
export interface BackOffOptions {
  /** First pause, milliseconds. */
  firstMs: number;
  /** Longest pause, milliseconds. */
  longestMs: number;
  /** A process that was ready for this long is forgiven: it is started again at once. @default 60_000 */
  healthyMs?: number;
  /** From 0 up to 1. @default Math.random */
  random?: () => number;
}

/** So long a service pays for one start at once after an end that the program chose. */
const SERVICE_PER_START_MS = 100;

/** As many such starts can be saved up; a new one has them all. */
const MOST_STARTS = 10;

/** Doubles the pause with each failure in a row and spreads it by up to half, so that many do not start at one moment. */
export class BackOff {
  readonly #firstMs: number;
  readonly #longestMs: number;
  readonly #healthyMs: number;
  readonly #random: () => number;
  #failures = 0;
  #starts = MOST_STARTS;

  constructor({ firstMs, longestMs, healthyMs = 60_000, random = Math.random }: BackOffOptions) {
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
    this.#healthyMs = healthyMs;
    this.#random = random;
  }

  /**
   * Whether one that ended itself after `readyMs` of service may be started again at once. Only service pays for that,
   * no pause does: a program that ends at once for ever has soon used up its starts and is slowed down like one that crashes.
   */
  mayStartAtOnce(readyMs: number): boolean {
    this.#starts = Math.min(this.#starts + readyMs / SERVICE_PER_START_MS, MOST_STARTS);
    if (this.#starts < 1) return false;
    this.#starts--;
    if (readyMs >= SERVICE_PER_START_MS) this.#failures = 0;
    return true;
  }

  /** The pause after a process has ended that was ready for `readyMs`; 0 if it never was. */
  next(readyMs: number): number {
    if (readyMs >= this.#healthyMs) {
      this.#failures = 0;
      return 0;
    }
    const doubled = this.#firstMs * 2 ** Math.min(this.#failures++, 30);
    const least = Math.min(doubled, this.#longestMs / 1.5);
    return Math.min(least * (1 + this.#random() / 2), this.#longestMs);
  }
}
