// The app that new requests go to, and how many requests each app still has: what reload swaps and waits for.
import type { Runtime } from "@gw/core";

/** Counts requests per runtime. */
export class Runtimes {
  #current: Runtime;
  readonly #running: Map<Runtime, number> = new Map();
  readonly #idle: Map<Runtime, () => void> = new Map();

  constructor(first: Runtime) {
    this.#current = first;
  }

  /** The runtime of new requests. */
  get current(): Runtime {
    return this.#current;
  }

  /** Gives new requests to another runtime and returns the one before. */
  swap(next: Runtime): Runtime {
    const before = this.#current;
    this.#current = next;
    return before;
  }

  /** A request begins. */
  enter(): Runtime {
    this.#running.set(this.#current, (this.#running.get(this.#current) ?? 0) + 1);
    return this.#current;
  }

  /** A request of this runtime has ended. */
  leave(runtime: Runtime): void {
    const left = (this.#running.get(runtime) ?? 1) - 1;
    if (left > 0) {
      this.#running.set(runtime, left);
      return;
    }
    this.#running.delete(runtime);
    this.#idle.get(runtime)?.();
  }

  /** Settles when a runtime has no request left, or at the deadline. */
  async finished(runtime: Runtime, deadline: AbortSignal): Promise<void> {
    if (!this.#running.has(runtime) || deadline.aborted) return;
    await new Promise<void>((resolve) => {
      this.#idle.set(runtime, resolve);
      deadline.addEventListener("abort", () => resolve(), { once: true });
    });
    this.#idle.delete(runtime);
  }
}
