// The streams of a link by number, in an array. A map would be simpler, but V8 copies a map's table every few insertions
// and links the old copy to the new one: a copy that has outlived two collections keeps all requests it names, and all
// copies after it, until a full collection.

const FIRST_SLOTS = 64;
const MAX_ID = 0x7fff_ffff;

/** Things by numbers that it gives out. A number's last bits say its slot. */
export class StreamTable<S> {
  #slots: (S | null)[] = new Array<S | null>(FIRST_SLOTS).fill(null);
  #ids: number[] = new Array<number>(FIRST_SLOTS).fill(0);
  #size = 0;
  #lastId = 0;

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** A number that is not taken; nor was it lately. */
  nextId(): number {
    if (this.#size * 2 >= this.#slots.length) this.#grow();
    do this.#lastId = this.#lastId === MAX_ID ? 1 : this.#lastId + 1;
    while (this.#slots[this.#slotOf(this.#lastId)] !== null);
    return this.#lastId;
  }

  /** @param id what `nextId` has just given */
  set(id: number, stream: S): void {
    const slot = this.#slotOf(id);
    this.#slots[slot] = stream;
    this.#ids[slot] = id;
    this.#size++;
  }

  /** What has this number. */
  get(id: number): S | undefined {
    const slot = this.#slotOf(id);
    return this.#ids[slot] === id ? (this.#slots[slot] ?? undefined) : undefined;
  }

  /** Forgets it. @returns whether there was one */
  delete(id: number): boolean {
    if (this.get(id) === undefined) return false;
    this.#slots[this.#slotOf(id)] = null;
    this.#size--;
    return true;
  }

  /** Forgets all. */
  clear(): void {
    this.#slots.fill(null);
    this.#size = 0;
  }

  /** All, in no order. */
  *[Symbol.iterator](): Generator<readonly [id: number, stream: S]> {
    for (let slot = 0; slot < this.#slots.length; slot++) {
      const stream = this.#slots[slot] as S | null;
      if (stream !== null) yield [this.#ids[slot] as number, stream];
    }
  }

  /** Slots are a power of two: their number's last bits. */
  #slotOf(id: number): number {
    return id & (this.#slots.length - 1);
  }

  /** Numbers with different last bits have different ones in twice as many slots, too. */
  #grow(): void {
    const all = [...this];
    const slots = this.#slots.length * 2;
    this.#slots = new Array<S | null>(slots).fill(null);
    this.#ids = new Array<number>(slots).fill(0);
    this.#size = 0;
    for (const [id, stream] of all) this.set(id, stream);
  }
}
