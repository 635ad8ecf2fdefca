// Who may go in now, who waits for a turn, and who is told at once that it is no use (R-O10).
import type { PermitPool } from "@gw/core";

/** Why somebody is not let in. */
export type Refusal = "full" | "late";

/** Inputs of WaitingLine. */
export interface WaitingLineOptions {
  /** Permits to be inside. */
  readonly permits: PermitPool;
  /** Permits to wait for one of those. */
  readonly places: PermitPool;
  /** Longest wait, milliseconds. */
  readonly timeoutMs: number;
  /** Told how many wait here, whenever that changes. */
  readonly onLength?: (length: number) => void;
}

interface Waiting {
  hasPlace: boolean;
  /** Lets it in, or says why not. */
  settle(outcome: "in" | Refusal): void;
}

/**
 * A line in front of so many places inside: first come, first served; bounded in length and time.
 *
 * Both bounds hold for all processes that share the permits. Who finds neither a permit nor a place at hand stays until
 * it is sure that no other process has one to spare.
 */
export class WaitingLine {
  readonly #options: WaitingLineOptions;
  readonly #waiting = new Set<Waiting>();
  #withoutPlace = 0;
  #isServing = false;
  readonly #forget: (() => void)[];

  constructor(options: WaitingLineOptions) {
    this.#options = options;
    const serve = (): void => this.#serve();
    this.#forget = [options.permits.onChange(serve), options.places.onChange(serve)];
  }

  /** How many wait. */
  get length(): number {
    return this.#waiting.size;
  }

  /**
   * Goes in at once, or waits for a turn. Who is in gives back a permit at the end (`permits.give`).
   *
   * Rejects with the reason of the signal when that fires first.
   */
  enter(signal: AbortSignal): "in" | Refusal | Promise<"in" | Refusal> {
    const { permits, places } = this.#options;
    if (this.#waiting.size === 0 && permits.take()) return "in";
    const hasPlace = this.#withoutPlace === 0 && places.take();
    const length = this.#waiting.size + 1;
    permits.want(length);
    if (!hasPlace) {
      places.want(this.#withoutPlace + 1);
      if (places.isEmpty && permits.isEmpty) {
        this.#sayWanted();
        return "full";
      }
    }
    return this.#wait(hasPlace, signal);
  }

  /** Nobody is let in any more from here. */
  close(): void {
    for (const forget of this.#forget.splice(0)) forget();
    for (const one of [...this.#waiting]) one.settle("late");
  }

  #wait(hasPlace: boolean, signal: AbortSignal): Promise<"in" | Refusal> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        if (hasPlace) this.#options.places.give();
        return reject(signal.reason);
      }
      const leave = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        this.#remove(one);
      };
      const onAbort = (): void => {
        leave();
        reject(signal.reason);
      };
      const one: Waiting = {
        hasPlace,
        settle(outcome) {
          leave();
          resolve(outcome);
        },
      };
      const timer = setTimeout(() => one.settle("late"), this.#options.timeoutMs);
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiting.add(one);
      if (!hasPlace) this.#withoutPlace++;
      this.#options.onLength?.(this.#waiting.size);
    });
  }

  #remove(one: Waiting): void {
    this.#waiting.delete(one);
    this.#options.onLength?.(this.#waiting.size);
    if (one.hasPlace) this.#options.places.give();
    else this.#withoutPlace--;
    if (!this.#isServing) this.#sayWanted();
  }

  #sayWanted(): void {
    this.#options.permits.want(this.#waiting.size);
    this.#options.places.want(this.#withoutPlace);
  }

  /** Something may have become free, or it is sure now that nothing is. */
  #serve(): void {
    if (this.#waiting.size === 0 || this.#isServing) return; // who is let in gives its place back, which is told, too
    const { permits, places } = this.#options;
    this.#isServing = true;
    for (const one of this.#waiting) {
      if (!permits.take()) break;
      one.settle("in");
    }
    if (this.#withoutPlace > 0) this.#givePlaces();
    if (this.#withoutPlace > 0 && places.isEmpty && permits.isEmpty) this.#refuseWithoutPlace();
    this.#isServing = false;
    this.#sayWanted();
  }

  #givePlaces(): void {
    for (const one of this.#waiting) {
      if (one.hasPlace) continue;
      if (!this.#options.places.take()) return;
      one.hasPlace = true;
      this.#withoutPlace--;
    }
  }

  #refuseWithoutPlace(): void {
    for (const one of [...this.#waiting]) if (!one.hasPlace) one.settle("full");
  }
}
