// Whether an upstream is worth asking, judged by how the last requests to it went (R-F23). No timers: asked, not told.

/** How an upstream is judged. */
export interface HealthOptions {
  /** First and longest pause of an upstream that does not answer, milliseconds. @default [1_000, 10_000] */
  pauseMs?: readonly [first: number, longest: number];
}

/** The health of one upstream. Times are monotonic milliseconds. */
export class Health {
  readonly #firstMs: number;
  readonly #longestMs: number;
  #failures = 0;
  #pausedUntil = 0;

  constructor({ pauseMs: [firstMs, longestMs] = [1_000, 10_000] }: HealthOptions = {}) {
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** Whether it is in service: it has not failed, or its pause is over and the next request is its trial. */
  isUp(nowMs: number): boolean {
    return nowMs >= this.#pausedUntil;
  }

  /** It could not be reached, or did not speak as it should. Each failure in a row doubles the pause. */
  failed(nowMs: number): void {
    this.#failures++;
    this.#pausedUntil = nowMs + Math.min(this.#longestMs, this.#firstMs * 2 ** Math.min(this.#failures - 1, 20));
  }

  /** It answered. */
  succeeded(): void {
    this.#failures = 0;
    this.#pausedUntil = 0;
  }
}
