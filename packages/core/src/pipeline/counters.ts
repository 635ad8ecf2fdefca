// Counts per key and time window, in this process, in bounded memory.
import type { Counters } from "../model/context.ts";

/** Inputs of createCounters. */
export interface CountersOptions {
  /** Keys kept per window length; beyond it the oldest are forgotten (R-M14). @default 100_000 */
  maxKeys?: number;
  /** Clock in milliseconds that never steps back (R-O12). @default performance.now */
  now?: () => number;
}

/**
 * Counters of this process.
 *
 * All keys of one window length share their windows, so a whole window is
 * dropped at once and no timer runs.
 */
export function createCounters({ maxKeys = 100_000, now = () => performance.now() }: CountersOptions = {}): Counters {
  const windows = new Map<number, Windows>();
  return {
    hit(key, { windowMs, by = 1 }) {
      let found = windows.get(windowMs);
      if (found === undefined) {
        found = new Windows(windowMs, maxKeys);
        windows.set(windowMs, found);
      }
      return found.hit(key, by, now());
    },
  };
}

/** The current window of one length and the one before it. */
class Windows {
  readonly #lengthMs: number;
  readonly #maxKeys: number;
  #index = 0;
  #current: Map<string, number> = new Map();
  #previous: Map<string, number> = new Map();

  constructor(lengthMs: number, maxKeys: number) {
    this.#lengthMs = lengthMs;
    this.#maxKeys = maxKeys;
  }

  hit(key: string, by: number, now: number): { count: number; previous: number; resetMs: number } {
    const index = Math.floor(now / this.#lengthMs);
    if (index !== this.#index) this.#advance(index);
    const count = (this.#current.get(key) ?? 0) + by;
    if (count === by && this.#current.size >= this.#maxKeys) this.#forgetOldest();
    this.#current.set(key, count);
    return { count, previous: this.#previous.get(key) ?? 0, resetMs: (index + 1) * this.#lengthMs - now };
  }

  #advance(index: number): void {
    this.#previous = index === this.#index + 1 ? this.#current : new Map();
    this.#current = new Map();
    this.#index = index;
  }

  #forgetOldest(): void {
    const oldest = this.#current.keys().next();
    if (!oldest.done) this.#current.delete(oldest.value);
  }
}
