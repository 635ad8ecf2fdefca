// Counts per key and time window, in this process, in bounded memory.
import type { Counters } from "../model/context.ts";

/** Inputs of createCounters. */
export interface CountersOptions {
  /** Keys kept per window length; beyond it those that were hit longest ago are forgotten (R-M14). @default 100_000 */
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
    const before = this.#current.get(key) ?? 0;
    const count = Math.max(0, before + by); // what was counted in a window that is over cannot be taken back in this one
    if (by !== 0) this.#note(key, before, count);
    return { count, previous: this.#previous.get(key) ?? 0, resetMs: (index + 1) * this.#lengthMs - now };
  }

  /** Keys are kept in the order of their last hit. Who only asks, and what is taken back, takes nobody's room. */
  #note(key: string, before: number, count: number): void {
    this.#current.delete(key);
    if (count === 0) return;
    if (before === 0 && this.#current.size >= this.#maxKeys) this.#forgetOldest();
    this.#current.set(key, count);
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
