// Bytes that wait in a temporary file: first in, first out.
import type { Spool, SpoolStore } from "@gw/core";
import { ChunkList } from "./chunk-list.ts";

/** Who is told of what happens to the file. */
export interface OverflowListeners {
  /** Bytes have left memory. */
  written(): void;
  /** The file cannot be made or written: bytes are lost. */
  failed(error: unknown): void;
}

const READ_BYTES = 65_536;

/** A queue in a spool. Chunks are written one after the other, read back in pieces of any size. */
export class Overflow {
  readonly #spool: Promise<Spool>;
  readonly #listeners: OverflowListeners;
  readonly #pending: ChunkList = new ChunkList();
  /** Settles when nothing is pending any more. */
  #writing: Promise<void> = Promise.resolve();
  #isWriting = false;
  /** Tells the reader that there is something, or that nothing more comes. */
  #wake: () => void = () => {};
  #pendingBytes = 0;
  #writtenBytes = 0;
  #readBytes = 0;
  #isClosed = false;

  constructor(store: SpoolStore, listeners: OverflowListeners) {
    this.#spool = Promise.resolve(store.open());
    this.#listeners = listeners;
    this.#spool.catch((error: unknown) => this.#fail(error));
  }

  /** Bytes that were added and not taken yet. */
  get length(): number {
    return this.#pendingBytes + this.#writtenBytes - this.#readBytes;
  }

  /** Those of them that are still in memory. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  push(chunk: Uint8Array): void {
    if (this.#isClosed) return;
    this.#pendingBytes += chunk.length;
    this.#pending.push(chunk);
    if (this.#isWriting) return;
    this.#isWriting = true;
    this.#writing = this.#writeAll();
  }

  /** The next bytes; `null` if there are none, or no more after a failure. */
  async shift(): Promise<Uint8Array | null> {
    if (this.#readBytes === this.#writtenBytes && this.#isWriting) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#isClosed || this.#readBytes === this.#writtenBytes) return null;
    const chunk = await (await this.#spool).read(this.#readBytes, READ_BYTES);
    this.#readBytes += chunk.length;
    return chunk;
  }

  /** Deletes the file. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#pendingBytes = 0;
    this.#pending.takeAll();
    // A write that is under way ends before its file is closed.
    void this.#writing.then(async () => (await this.#spool).close()).catch(() => {});
  }

  async #writeAll(): Promise<void> {
    try {
      const spool = await this.#spool;
      for (let chunk = this.#pending.shift(); chunk !== undefined; chunk = this.#pending.shift()) {
        await spool.write(chunk);
        this.#writtenBytes += chunk.length;
        this.#pendingBytes = Math.max(0, this.#pendingBytes - chunk.length);
        this.#wake();
        this.#listeners.written();
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isWriting = false;
      this.#wake();
    }
  }

  #fail(error: unknown): void {
    if (this.#isClosed) return;
    this.close();
    this.#writtenBytes = this.#readBytes;
    this.#listeners.failed(error);
    this.#listeners.written();
  }
}
