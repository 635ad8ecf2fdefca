// The requests that wait for a thread, in their order. Any of them may leave, at no more cost than the first.
import type { ThreadCall } from "./thread-call.ts";

const FIRST_SEATS = 64;

/**
 * A queue. Seats of an array, and each request knows its own: a `Set` would be simpler, but V8 copies its table every
 * few insertions, and a dead copy keeps all it names, and every later copy, until a full collection.
 */
export class CallQueue {
  #seats: (ThreadCall | null)[] = new Array<ThreadCall | null>(FIRST_SEATS).fill(null);
  /** Numbers of the first seat that may be taken, and of the next free one; they only grow. */
  #first = 0;
  #next = 0;
  #size = 0;

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  /** Lets a request wait behind all others. */
  add(call: ThreadCall): void {
    if (this.#next - this.#first === this.#seats.length) this.#grow();
    call.seat = this.#next++;
    this.#seats[call.seat % this.#seats.length] = call;
    this.#size++;
  }

  /** It waits no longer. Does nothing if it did not. */
  delete(call: ThreadCall): void {
    const at = call.seat % this.#seats.length;
    if (call.seat < 0 || this.#seats[at] !== call) return;
    this.#seats[at] = null;
    call.seat = -1;
    this.#size--;
    while (this.#first < this.#next && this.#seats[this.#first % this.#seats.length] === null) this.#first++;
  }

  /** Those that wait, first come first; one that is deleted meanwhile is left out. */
  *[Symbol.iterator](): Generator<ThreadCall> {
    for (let seat = this.#first; seat < this.#next; seat++) {
      const call = this.#seats[seat % this.#seats.length];
      if (call != null) yield call;
    }
  }

  /** The one that has waited longest. */
  get first(): ThreadCall | null {
    return this.#size === 0 ? null : (this.#seats[this.#first % this.#seats.length] as ThreadCall);
  }

  #grow(): void {
    const calls = [...this];
    this.#seats = new Array<ThreadCall | null>(this.#seats.length * 2).fill(null);
    this.#first = 0;
    this.#next = 0;
    this.#size = 0;
    for (const call of calls) this.add(call);
  }
}
