// Cuts the bytes from a worker into batches and pieces of raw body frames. No I/O.
import { ByteQueue } from "@gw/core";
import { MAX_BATCH_BYTES, RAW, RAW_HEAD_BYTES } from "./frames.ts";
import { protocolError } from "./marshal-reader.ts";

/** What the decoder found. */
export type Part =
  | { readonly kind: "batch"; readonly bytes: Uint8Array }
  | {
      readonly kind: "raw";
      readonly stream: number;
      readonly op: number;
      /** A view of the chunk that was fed. */
      readonly bytes: Uint8Array;
      /** Whether this is the last piece of its frame. */
      readonly isLast: boolean;
    };

interface RawFrame {
  readonly stream: number;
  readonly op: number;
  /** Bytes still to come. */
  left: number;
}

/** Turns chunks into batches, and raw frames into pieces as they arrive. Holds at most one incomplete batch. */
export class BatchDecoder {
  readonly #queue = new ByteQueue();
  /** Bytes of the batch that is under way; `null` between two. */
  #batchBytes: number | null = null;
  #raw: RawFrame | null = null;

  /**
   * Takes one chunk, of any size, and returns every part it completes.
   *
   * @throws GatewayError `GW_PYTHON_PROTOCOL`
   */
  feed(chunk: Uint8Array): Part[] {
    this.#queue.push(chunk);
    const parts: Part[] = [];
    for (let part = this.#next(); part !== null; part = this.#next()) parts.push(part);
    return parts;
  }

  /** Whether it holds no byte of what it was fed. */
  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** Call once when the worker closes. @throws GatewayError `GW_PYTHON_PROTOCOL` if it closed inside a frame */
  end(): void {
    if (this.#queue.length > 0 || this.#batchBytes !== null || this.#raw !== null)
      throw protocolError("it closed inside a frame");
  }

  #next(): Part | null {
    if (this.#raw !== null) return this.#rawPiece(this.#raw);
    if (this.#batchBytes === null) {
      const head = this.#queue.takeExact(4);
      if (head === null) return null;
      const length = uint32(head, 0);
      if (length >= RAW) return this.#rawHead(length - RAW);
      if (length > MAX_BATCH_BYTES) throw protocolError(`a batch of ${length} bytes`);
      this.#batchBytes = length;
    }
    const bytes = this.#queue.takeExact(this.#batchBytes);
    if (bytes === null) return null;
    this.#batchBytes = null;
    return { kind: "batch", bytes };
  }

  #rawHead(length: number): Part | null {
    if (length < RAW_HEAD_BYTES - 4) throw protocolError(`a raw frame of ${length} bytes`);
    this.#raw = { stream: -1, op: 0, left: length };
    return this.#next();
  }

  #rawPiece(raw: RawFrame): Part | null {
    if (raw.stream === -1) {
      const head = this.#queue.takeExact(RAW_HEAD_BYTES - 4);
      if (head === null) return null;
      this.#raw = { stream: uint32(head, 0), op: uint32(head, 4), left: raw.left - head.length };
      return this.#rawPiece(this.#raw);
    }
    const bytes = this.#queue.takeSome(raw.left);
    if (bytes.length === 0 && raw.left > 0) return null;
    raw.left -= bytes.length;
    const isLast = raw.left === 0;
    if (isLast) this.#raw = null;
    return { kind: "raw", stream: raw.stream, op: raw.op, bytes, isLast };
  }
}

function uint32(bytes: Uint8Array, at: number): number {
  const [first = 0, second = 0, third = 0, fourth = 0] = bytes.subarray(at, at + 4);
  return (first | (second << 8) | (third << 16)) + fourth * 0x100_0000;
}
