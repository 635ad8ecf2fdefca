// Collects the first bytes of a control record that may be cut anywhere.

/** Keeps at most as many bytes of a record as its rule reads; the rest is skipped. */
export class ControlBody {
  readonly #bytes: Uint8Array;
  #length = 0;

  constructor(maxBytes: number) {
    this.#bytes = new Uint8Array(maxBytes);
  }

  /** Adds a piece; `isFirst` begins a new record. */
  push(piece: Uint8Array, isFirst: boolean): void {
    if (isFirst) this.#length = 0;
    const kept = piece.subarray(0, this.#bytes.length - this.#length);
    this.#bytes.set(kept, this.#length);
    this.#length += kept.length;
  }

  /** What was collected; valid until the next record begins. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}
