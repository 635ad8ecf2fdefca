// What belongs to the request ids under way on one connection. Ids are small, since the smallest free one is taken.

/**
 * Values by request id.
 *
 * No Map: one whose last entry goes is made anew each time, and V8 lets every old table point to the next one. On a kept
 * connection that chain of dead tables outlives many requests, and each removal costs a call into the runtime.
 */
export class IdTable<T extends object | true> {
  /** The value of each id, `null` where it is free; FastCGI keeps id 0 for the connection itself. */
  readonly #slots: (T | null)[] = [null];
  #size = 0;

  /** Ids in use. */
  get size(): number {
    return this.#size;
  }

  /** The smallest id that is free, from 1. */
  get free(): number {
    const at = this.#slots.indexOf(null, 1);
    return at === -1 ? this.#slots.length : at;
  }

  /** The value of an id; `null` if it is not in use. */
  get(id: number): T | null {
    return this.#slots[id] ?? null;
  }

  /** Puts an id in use: one that `free` gave. */
  set(id: number, value: T): void {
    if (this.get(id) === null) this.#size++;
    this.#slots[id] = value;
  }

  /** Takes an id out of use. */
  delete(id: number): void {
    if (this.get(id) === null) return;
    this.#slots[id] = null;
    this.#size--;
  }

  /** Takes all ids out of use. @returns their values */
  clear(): readonly T[] {
    const values = this.values();
    this.#slots.length = 1;
    this.#size = 0;
    return values;
  }

  /** What is in use, by id. */
  values(): readonly T[] {
    return this.#slots.filter((value) => value !== null);
  }
}
