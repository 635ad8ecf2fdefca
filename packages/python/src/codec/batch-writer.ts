// Gathers frames into batches. No I/O: `take` gives the bytes, whoever owns the socket decides when.
import { MORE, RAW, RAW_HEAD_BYTES, TO_PYTHON } from "./frames.ts";
import { MarshalWriter } from "./marshal-writer.ts";

const HEAD_BYTES = 4;
const COUNT_AT = 5;

/** Collects frames of the direction to Python. */
export class BatchWriter {
  readonly #marshal = new MarshalWriter();
  #count = 0;

  /** Frames that wait. */
  get frames(): number {
    return this.#count;
  }

  /**
   * Starts a frame of `size` values: kind and stream, which this writes, and what the caller writes next.
   *
   * @returns where to write the rest
   */
  frame(op: number, stream: number, size: number): MarshalWriter {
    if (this.#count === 0) {
      this.#marshal.raw32(0); // the length, known in the end
      this.#marshal.list(0);
    }
    this.#count++;
    this.#marshal.tuple(size);
    this.#marshal.int(op);
    this.#marshal.int(stream);
    return this.#marshal;
  }

  /** Writes a whole frame; what `write` throws leaves the batch as it was. */
  request(op: number, stream: number, size: number, write: (marshal: MarshalWriter) => void): void {
    const before = this.#marshal.length;
    try {
      write(this.frame(op, stream, size));
    } catch (error) {
      this.#count--;
      this.#marshal.truncate(before);
      throw error;
    }
  }

  /** The batch, ready to be sent; `null` if there is nothing. */
  take(): Buffer | null {
    if (this.#count === 0) return null;
    this.#marshal.patch32(0, this.#marshal.length - HEAD_BYTES);
    this.#marshal.patch32(COUNT_AT, this.#count);
    this.#count = 0;
    return this.#marshal.take();
  }
}

/** The head of a raw body frame; the bytes follow it. Send what waits before. */
export function rawBodyHead(stream: number, length: number, hasMore: boolean): Buffer {
  const head = Buffer.allocUnsafe(RAW_HEAD_BYTES);
  head.writeUInt32LE(RAW + RAW_HEAD_BYTES - 4 + length, 0);
  head.writeUInt32LE(stream, 4);
  head.writeUInt32LE(TO_PYTHON.BODY | (hasMore ? MORE : 0), 8);
  return head;
}
