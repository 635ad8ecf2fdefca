// Standard input of a CGI program: touched only when the app reads, never past CONTENT_LENGTH (RFC 3875 §4.2).
import { fs, net } from "./builtins.ts";

const CHUNK_BYTES = 65_536;

/** A descriptor to read the request body from; either way of reading stops at `length`, or at the end if that is `null`. */
export class ProgramInput {
  readonly #descriptor: number;
  #left: number;

  constructor(descriptor: number, length: number | null) {
    this.#descriptor = descriptor;
    this.#left = length ?? Number.POSITIVE_INFINITY;
  }

  /** The body without blocking. Servers need not close their end (§4.2), so the length alone says where it stops. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    const kind = fs.fstatSync(this.#descriptor);
    if (kind.isFIFO() || kind.isSocket()) yield* this.#streamed();
    else yield* this.#read();
  }

  /** At most this many bytes of the body; waits for them, blocking; empty only at the end. */
  readSync(maxBytes: number): Uint8Array {
    const wanted = Math.min(Math.max(1, maxBytes), this.#left, CHUNK_BYTES);
    if (wanted === 0) return new Uint8Array(0);
    const bytes = new Uint8Array(wanted);
    for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, 16)) {
      try {
        const count = fs.readSync(this.#descriptor, bytes, 0, wanted, null);
        if (count === 0) this.#left = 0;
        else this.#left -= count;
        return bytes.subarray(0, count);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === "EOF") return new Uint8Array(0);
        if (code !== "EAGAIN") throw error;
        // Somebody made the descriptor non-blocking: wait without an event loop.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
      }
    }
  }

  async *#streamed(): AsyncGenerator<Uint8Array> {
    const socket = new (net().Socket)({ fd: this.#descriptor, readable: true, writable: false });
    for await (const chunk of socket as AsyncIterable<Uint8Array>) {
      const piece = chunk.length > this.#left ? chunk.subarray(0, this.#left) : chunk;
      this.#left -= piece.length;
      yield piece;
      if (this.#left === 0) return;
    }
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.readSync(CHUNK_BYTES);
      if (chunk.length === 0) return;
      yield chunk;
    }
  }
}
