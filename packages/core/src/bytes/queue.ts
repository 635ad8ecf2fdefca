// ByteQueue: bytes that arrived and were not used yet. Every codec reads through one.

const LF = 0x0a;
const nothing: Uint8Array = new Uint8Array(0);

/**
 * Holds chunks in the order they came and hands out pieces of them.
 *
 * A piece that lies within one chunk is a view of it, not a copy: keep chunks
 * unchanged after `push`, and copy pieces that outlive the exchange (a short
 * view keeps its whole chunk in memory).
 */
export class ByteQueue {
  #chunks: Uint8Array[] = [];
  /** Index of the first chunk that has bytes left. */
  #first = 0;
  /** Bytes of that chunk already taken. */
  #offset = 0;
  #length = 0;
  /** Bytes taken so far: where the front is in the whole stream. */
  #taken = 0;
  // Where the search for an LF goes on, so that neither bytes nor chunks are looked at twice.
  /** Place in the stream up to which there is none. */
  #searched = 0;
  /** Index of the chunk that holds this place, and where in the stream it starts. */
  #searchChunk = 0;
  #searchStart = 0;

  /** Adds a chunk, of any size. It belongs to the queue from now on. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** Bytes in the queue. */
  get length(): number {
    return this.#length;
  }

  /** Exactly this many bytes, or `null` as long as there are fewer. */
  takeExact(length: number): Uint8Array | null {
    if (length > this.#length) return null;
    if (length === 0) return nothing;
    const head = this.#chunks[this.#first] as Uint8Array;
    const start = this.#offset;
    if (start + length <= head.length) {
      this.#drop(length);
      return head.subarray(start, start + length);
    }
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const piece = this.takeSome(length - at);
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  /** What can be had without a copy, at most this many bytes; empty only if the queue is. */
  takeSome(maxBytes: number): Uint8Array {
    const head = this.#chunks[this.#first];
    if (head === undefined || maxBytes <= 0) return nothing;
    const start = this.#offset;
    const length = Math.min(maxBytes, head.length - start);
    this.#drop(length);
    return head.subarray(start, start + length);
  }

  /** Everything, as one piece. */
  takeAll(): Uint8Array {
    return this.takeExact(this.#length) as Uint8Array;
  }

  /**
   * The next line with its LF, or `null` if there is none within the first `maxBytes` bytes.
   *
   * After `null`, `length >= maxBytes` means that the line is too long; else it is not complete yet.
   */
  takeLine(maxBytes: number): Uint8Array | null {
    const end = this.#findLineEnd(maxBytes);
    return end === 0 ? null : this.takeExact(end);
  }

  /** The byte at this distance from the front, or -1 beyond the end. Takes nothing. */
  peek(distance = 0): number {
    let at = this.#offset + distance;
    for (let index = this.#first; index < this.#chunks.length; index++) {
      const chunk = this.#chunks[index] as Uint8Array;
      if (at < chunk.length) return chunk[at] as number;
      at -= chunk.length;
    }
    return -1;
  }

  /** Number of bytes up to and with the first LF among the first `maxBytes`; 0 if there is none. */
  #findLineEnd(maxBytes: number): number {
    const limit = this.#taken + Math.min(maxBytes, this.#length);
    while (this.#searched < limit) {
      const chunk = this.#chunks[this.#searchChunk] as Uint8Array;
      const found = chunk.indexOf(LF, this.#searched - this.#searchStart);
      const end = this.#searchStart + (found === -1 ? chunk.length : found);
      if (end >= limit) {
        this.#searched = limit;
        return 0;
      }
      this.#searched = end;
      if (found !== -1) return end + 1 - this.#taken;
      this.#searchChunk++;
      this.#searchStart = end;
    }
    return 0;
  }

  #drop(length: number): void {
    this.#length -= length;
    this.#taken += length;
    this.#offset += length;
    if (this.#offset === (this.#chunks[this.#first] as Uint8Array).length) {
      this.#offset = 0;
      this.#first++;
      this.#forgetUsed();
    }
    if (this.#searched > this.#taken) return;
    this.#searched = this.#taken;
    this.#searchChunk = this.#first;
    this.#searchStart = this.#taken - this.#offset;
  }

  /** Lets go of used chunks: all at once, or many at a time, since each step moves the rest. */
  #forgetUsed(): void {
    const count = this.#first === this.#chunks.length || this.#first === MANY ? this.#first : 0;
    if (count === 0) return;
    this.#chunks.splice(0, count);
    this.#first = 0;
    this.#searchChunk -= count;
  }
}

const MANY = 64;
