// The calls of an app that are under way: waited for when the gateway stops, ended when their client has long gone.

/** One call of an app. Also a node of the list in `Calls`. */
export abstract class Call {
  previous: Call | null = null;
  next: Call | null = null;
  /** When the client was first seen to have gone, milliseconds of `performance.now()`; -1: it is there. */
  goneAtMs = -1;

  /** Whether the client has gone. */
  abstract isGone(): boolean;
  /** Ends what can be ended: `receive` and `send` throw from now on, what waits for the app waits no longer. */
  abstract cancel(): void;
}

/**
 * The calls of one app.
 *
 * A promise cannot be stopped from outside as a Python task can. What comes
 * nearest: after `graceMs` without its client, every `receive` and `send` of
 * the call throws, and nobody waits for it any more (R-W6). One timer sweeps
 * all calls, so that a request costs no timer and no listener of its own.
 */
export class Calls {
  readonly #graceMs: number;
  #first: Call | null = null;
  #count = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #onIdle: (() => void)[] = [];

  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  get count(): number {
    return this.#count;
  }

  add(call: Call): void {
    call.next = this.#first;
    if (this.#first !== null) this.#first.previous = call;
    this.#first = call;
    this.#count++;
    if (this.#timer === null) this.#sweepLater();
  }

  /** Once per call: when it has returned, or was cancelled. */
  remove(call: Call): void {
    if (call.previous === null && call.next === null && this.#first !== call) return;
    if (call.previous === null) this.#first = call.next;
    else call.previous.next = call.next;
    if (call.next !== null) call.next.previous = call.previous;
    call.previous = null;
    call.next = null;
    this.#count--;
    if (this.#count === 0 && this.#onIdle.length > 0) for (const fn of this.#onIdle.splice(0)) fn();
  }

  /** Settles when no call is under way, or at the deadline. */
  idle(deadline: AbortSignal): Promise<void> {
    if (this.#count === 0 || deadline.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle.push(resolve);
      deadline.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  /** Cancels every call. */
  cancelAll(): void {
    for (let call = this.#first; call !== null; ) {
      const { next } = call;
      this.remove(call);
      call.cancel();
      call = next;
    }
  }

  #sweepLater(): void {
    this.#timer = setTimeout(() => this.#sweep(), this.#graceMs / 2);
    this.#timer.unref?.();
  }

  #sweep(): void {
    this.#timer = null;
    const now = performance.now();
    for (let call = this.#first; call !== null; ) {
      const { next } = call;
      if (call.goneAtMs < 0 && call.isGone()) call.goneAtMs = now;
      else if (call.goneAtMs >= 0 && now - call.goneAtMs >= this.#graceMs) {
        this.remove(call);
        call.cancel();
      }
      call = next;
    }
    if (this.#count > 0) this.#sweepLater();
  }
}
