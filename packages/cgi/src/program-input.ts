// Standard input of a CGI program: touched only when the app reads, never past CONTENT_LENGTH (RFC 3875 §4.2).
import type { Socket } from "node:net";
import { fs, net } from "./builtins.ts";

const CHUNK_BYTES = 65_536;

/** A descriptor to read the request body from; either way of reading stops at its length. */
export class ProgramInput {
  readonly #descriptor: number;
  #left = 0;
  #socket: Socket | null = null;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Says how long the body is; `null`: it goes on to the end of the input. */
  expect(length: number | null): void {
    this.#left = length ?? Number.POSITIVE_INFINITY;
  }

  /** Whether part of the body is still to come. */
  get isUnread(): boolean {
    return this.#left > 0;
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
        this.#left = count === 0 ? 0 : this.#left - count;
        return bytes.subarray(0, count);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
        // Somebody made the descriptor non-blocking: wait without an event loop.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
      }
    }
  }

  /** Reads the rest of the body and drops it, for at most this long. */
  async drain(timeoutMs: number): Promise<void> {
    const socket = this.#open();
    const late = setTimeout(() => socket.destroy(), timeoutMs);
    try {
      for await (const _ of this.#streamed());
    } catch {
      // The server closed its end: there is nothing left to drain.
    }
    clearTimeout(late);
  }

  async *#streamed(): AsyncGenerator<Uint8Array> {
    const chunks = this.#open().iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
    for await (const chunk of chunks) {
      const piece = chunk.length > this.#left ? chunk.subarray(0, this.#left) : chunk;
      this.#left -= piece.length;
      yield piece;
      if (this.#left === 0) return;
    }
    this.#left = 0;
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.readSync(CHUNK_BYTES);
      if (chunk.length === 0) return;
      yield chunk;
    }
  }

  #open(): Socket {
    this.#socket ??= new (net().Socket)({ fd: this.#descriptor, readable: true, writable: false });
    return this.#socket;
  }
}

/** Whether two descriptors are one socket, as Apache's mod_cgid hands them over. */
export function isOneSocket(one: number, other: number): boolean {
  const [first, second] = [fs.fstatSync(one), fs.fstatSync(other)];
  return first.isSocket() && first.ino === second.ino && first.dev === second.dev;
}
