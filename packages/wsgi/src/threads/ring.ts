// A ring of records in shared memory: one thread writes, another reads, neither waits for the other.

/** One record. Texts are byte strings. What the numbers mean is the kind's business. */
export interface RingRecord {
  readonly kind: number;
  /** The request it is about; 0: none. */
  readonly id: number;
  readonly a: number;
  readonly b: number;
  readonly texts: readonly string[];
  /** A copy: the reader's own. */
  readonly bytes: Uint8Array;
}

/** Bytes of a ring; a record may be half as long. */
export const RING_BYTES = 524_288;

/** Longest record that always finds room once the ring is empty, whatever place the last one ended at. */
export const MAX_RECORD_BYTES: number = RING_BYTES / 2 - 64;

/** Reader's and writer's place, as the first words of the memory; each has a cache line of its own. */
const READ_AT = 0;
const WRITTEN_AT = 16;
const DATA_BYTES = 128;
const MASK = RING_BYTES - 1;

/** Size, kind, id, a, b, number of texts, length of all texts, length of the bytes. */
const HEAD_WORDS = 8;
/** In place of a size: the rest of the ring is unused, go on at its start. */
const SKIP = -1;

/** What Node's Buffer does in native code, on shared memory too (TextDecoder refuses it). */
type NativeBuffer = Buffer & {
  latin1Write(text: string, at: number, length: number): number;
  latin1Slice(start: number, end: number): string;
};

/** Memory for one ring. */
export function ringMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(DATA_BYTES + RING_BYTES);
}

/** Both ends of a ring use one of these; only one of them writes, only the other reads. */
export class Ring {
  readonly #places: Int32Array;
  readonly #words: Int32Array;
  readonly #bytes: NativeBuffer;

  constructor(memory: SharedArrayBuffer) {
    this.#places = new Int32Array(memory, 0, DATA_BYTES / 4);
    this.#words = new Int32Array(memory, DATA_BYTES);
    this.#bytes = Buffer.from(memory, DATA_BYTES, RING_BYTES) as unknown as NativeBuffer;
  }

  /** Whether there is nothing to read. */
  get isEmpty(): boolean {
    return Atomics.load(this.#places, READ_AT) === Atomics.load(this.#places, WRITTEN_AT);
  }

  /**
   * Writes a record, whole, or nothing if there is no room now.
   *
   * @throws RangeError if it is longer than `MAX_RECORD_BYTES`
   */
  write(kind: number, id: number, a: number, b: number, texts: readonly string[], bytes: Uint8Array): boolean {
    const text = texts.length === 1 ? (texts[0] as string) : texts.join("");
    const size = padded((HEAD_WORDS + texts.length) * 4 + text.length + bytes.length);
    if (size > MAX_RECORD_BYTES) throw new RangeError(`a record of ${size} bytes, more than ${MAX_RECORD_BYTES}`);
    const at = this.#reserve(size);
    if (at < 0) return false;
    const words = this.#words;
    let word = at >> 2;
    words[word++] = size;
    words[word++] = kind;
    words[word++] = id;
    words[word++] = a;
    words[word++] = b;
    words[word++] = texts.length;
    words[word++] = text.length;
    words[word++] = bytes.length;
    for (const one of texts) words[word++] = one.length;
    const end = word * 4 + text.length;
    if (text.length > 0) this.#bytes.latin1Write(text, word * 4, text.length);
    if (bytes.length > 0) this.#bytes.set(bytes, end);
    Atomics.add(this.#places, WRITTEN_AT, size);
    return true;
  }

  /** The next record, or `null`. Its room is free from then on. */
  read(): RingRecord | null {
    const places = this.#places;
    const words = this.#words;
    let place = Atomics.load(places, READ_AT);
    const written = Atomics.load(places, WRITTEN_AT);
    if (place === written) return null;
    if (words[(place & MASK) >> 2] === SKIP) {
      place = (place + RING_BYTES - (place & MASK)) | 0;
      Atomics.store(places, READ_AT, place);
      if (place === written) return null;
    }
    const record = this.#recordAt(place & MASK);
    Atomics.store(places, READ_AT, (place + (words[(place & MASK) >> 2] as number)) | 0);
    return record;
  }

  /** Where a record of this size may be written, or -1. */
  #reserve(size: number): number {
    const places = this.#places;
    const written = Atomics.load(places, WRITTEN_AT);
    const free = RING_BYTES - ((written - Atomics.load(places, READ_AT)) | 0);
    const at = written & MASK;
    const untilEnd = RING_BYTES - at;
    if (untilEnd >= size) return free >= size ? at : -1;
    if (free < untilEnd + size) return -1;
    this.#words[at >> 2] = SKIP;
    Atomics.add(places, WRITTEN_AT, untilEnd);
    return 0;
  }

  #recordAt(at: number): RingRecord {
    const words = this.#words;
    const word = at >> 2;
    const count = words[word + 5] as number;
    const textLength = words[word + 6] as number;
    const textAt = at + (HEAD_WORDS + count) * 4;
    const bytesAt = textAt + textLength;
    const bytesLength = words[word + 7] as number;
    return {
      kind: words[word + 1] as number,
      id: words[word + 2] as number,
      a: words[word + 3] as number,
      b: words[word + 4] as number,
      texts: count === 0 ? NO_TEXTS : this.#textsAt(word + HEAD_WORDS, count, textAt, textLength),
      bytes: bytesLength === 0 ? NO_BYTES : new Uint8Array(this.#bytes.subarray(bytesAt, bytesAt + bytesLength)),
    };
  }

  #textsAt(word: number, count: number, textAt: number, textLength: number): string[] {
    const text = this.#bytes.latin1Slice(textAt, textAt + textLength);
    const texts: string[] = new Array(count);
    let start = 0;
    for (let index = 0; index < count; index++) {
      const end = start + (this.#words[word + index] as number);
      texts[index] = text.slice(start, end);
      start = end;
    }
    return texts;
  }
}

const NO_TEXTS: readonly string[] = [];
const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Records begin at multiples of four, so that their numbers can be read as words. */
function padded(size: number): number {
  return (size + 3) & ~3;
}
