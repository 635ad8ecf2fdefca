// The requests that one thread has, by number. The number says the place, so that a request costs no entry of a map:
// V8 copies a map's table every few insertions, and an old copy that has outlived two collections keeps what it
// names, and every copy after it, until a full one.
import { MAX_PLACES, placeOf, STATE } from "./protocol.ts";
import type { ThreadCall } from "./thread-call.ts";

/** Numbers stay within what a word of a record holds. */
const MAX_TURN = Math.floor(0x7fff_ffff / MAX_PLACES);

/** Requests that were given to a thread, begun or not, and those whose answers are walked. */
export class CallPlaces {
  readonly #state: Int32Array;
  readonly #calls: (ThreadCall | null)[] = new Array<ThreadCall | null>(MAX_PLACES).fill(null);
  /** Walked answers last long and may be more than there are places. */
  readonly #streams = new Map<number, ThreadCall>();
  #busy = 0;
  #turn = 0;

  /** @param state words of the thread: it clears the word of a place when it begins the request there */
  constructor(state: Int32Array) {
    this.#state = state;
  }

  /** Requests without those whose answers are walked. */
  get busy(): number {
    return this.#busy;
  }

  /** Answers that are walked. */
  get streams(): number {
    return this.#streams.size;
  }

  /** All requests. */
  get size(): number {
    return this.#busy + this.#streams.size;
  }

  /** Gives the request a place and a number, and says in shared memory that it may be begun. @returns false: all are taken */
  take(call: ThreadCall): boolean {
    const place = this.#calls.indexOf(null);
    if (place < 0) return false;
    this.#turn = this.#turn === MAX_TURN - 1 ? 1 : this.#turn + 1;
    call.id = this.#turn * MAX_PLACES + place;
    this.#calls[place] = call;
    this.#busy++;
    Atomics.store(this.#state, STATE.PLACES + place, call.id);
    return true;
  }

  /** Takes the request back, unless the thread has begun it: only one of the two gets it. */
  takeBack(call: ThreadCall): boolean {
    const place = placeOf(call.id);
    if (this.#calls[place] !== call) return false;
    if (Atomics.compareExchange(this.#state, STATE.PLACES + place, call.id, 0) !== call.id) return false;
    this.drop(call);
    return true;
  }

  /** The request of this number. */
  get(id: number): ThreadCall | undefined {
    const call = this.#calls[placeOf(id)];
    return call != null && call.id === id ? call : this.#streams.get(id);
  }

  /** Its answer is walked from now on: it needs no place. */
  stream(call: ThreadCall): void {
    this.drop(call);
    this.#streams.set(call.id, call);
  }

  /** The thread is done with it. */
  drop(call: ThreadCall): void {
    const place = placeOf(call.id);
    if (this.#calls[place] === call) {
      this.#calls[place] = null;
      this.#busy--;
    } else this.#streams.delete(call.id);
  }

  /** Whether the thread has begun it. */
  hasBegun({ id }: ThreadCall): boolean {
    return Atomics.load(this.#state, STATE.PLACES + placeOf(id)) !== id;
  }

  /** Those that the thread has not begun, in the order in which it was given them. */
  waiting(): ThreadCall[] {
    return this.#calls
      .filter((call): call is ThreadCall => call !== null && !this.hasBegun(call))
      .sort((one, other) => one.givenAt - other.givenAt);
  }

  /** Those that it has begun. */
  begun(): ThreadCall[] {
    const inPlaces = this.#calls.filter((call): call is ThreadCall => call !== null && this.hasBegun(call));
    return [...inPlaces, ...this.#streams.values()];
  }

  /** Forgets all. */
  clear(): void {
    this.#calls.fill(null);
    this.#streams.clear();
    this.#busy = 0;
  }
}
