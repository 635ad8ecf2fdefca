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
  /** What starts at once are paid from; all processes of a backend have one in common. @default one of its own */
  credit?: StartCredit;
}

/** So long a service pays for one start at once after an end that the program chose. */
const SERVICE_PER_START_MS = 100;

/** As many such starts can be saved up; a new backend has them all. */
const MOST_STARTS = 10;

/** Starts at once that a backend can still afford. What its processes earn by service is for all of them. */
export class StartCredit {
  #starts = MOST_STARTS;

  /** Puts `readyMs` of service in and takes one start out, if there is one. */
  spend(readyMs: number): boolean {
    this.#starts = Math.min(this.#starts + readyMs / SERVICE_PER_START_MS, MOST_STARTS);
    if (this.#starts < 1) return false;
    this.#starts--;
    return true;
  }
}

/** Doubles the pause with each failure in a row and spreads it by up to half, so that many do not start at one moment. */
export class BackOff {
  readonly #firstMs: number;
  readonly #longestMs: number;
  readonly #healthyMs: number;
  readonly #random: () => number;
  readonly #credit: StartCredit;
  #failures = 0;

  constructor(options: BackOffOptions) {
    const { firstMs, longestMs, healthyMs = 60_000, random = Math.random, credit = new StartCredit() } = options;
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
    this.#healthyMs = healthyMs;
    this.#random = random;
    this.#credit = credit;
  }

  /**
   * Whether one that ended itself after `readyMs` of service may be started again at once. Only service pays for that,
   * no pause does: a program that ends at once for ever has soon used up its starts and is slowed down like one that crashes.
   */
  mayStartAtOnce(readyMs: number): boolean {
    if (!this.#credit.spend(readyMs)) return false;
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
