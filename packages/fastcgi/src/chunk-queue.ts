// Chunks between a connection, which pushes them, and a reader, which waits for them.

import type { MaybePromise } from "@gw/core";
import { ChunkList } from "./chunk-list.ts";

type Waiter = { resolve: (chunk: Uint8Array | null) => void; reject: (error: unknown) => void };

/** Bytes that have come and were not read yet. Each chunk is handed on once, without a copy where that pins nothing. */
export class ChunkQueue implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array> {
  /** Called when something was taken, or left memory. */
  protected readonly onRead: () => void;
  readonly #chunks: ChunkList = new ChunkList();
  #isEnded = false;
  #isAbandoned = false;
  #failure: { readonly error: unknown } | null = null;
  #waiting: Waiter | null = null;

  /** @param onRead called when the reader has taken something, waits for more or has gone */
  constructor(onRead: () => void) {
    this.onRead = onRead;
  }

  /** Bytes held in memory. */
  get unreadBytes(): number {
    return this.#chunks.bytes;
  }

  /** Whether the reader waits for what has not come. */
  get isWaiting(): boolean {
    return this.#waiting !== null;
  }

  /** Whether what is pushed will be read. */
  get isOpen(): boolean {
    return !this.#isEnded && !this.#isAbandoned && this.#failure === null;
  }

  /** Adds bytes; dropped once nobody wants them any more. */
  push(chunk: Uint8Array): void {
    if (!this.isOpen) return;
    const waiting = this.#waiting;
    if (waiting !== null) {
      this.#waiting = null;
      waiting.resolve(chunk);
      return;
    }
    this.#chunks.push(chunk);
  }

  /** Nothing more comes. */
  end(): void {
    this.#isEnded = true;
    this.#waiting?.resolve(null);
    this.#waiting = null;
  }

  /** The rest will never come; what is there can still be read. */
  fail(error: unknown): void {
    if (this.#isEnded || this.#failure !== null) return;
    this.#failure = { error };
    this.#waiting?.reject(error);
    this.#waiting = null;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const chunk = await this.read();
    return chunk === null ? END : { done: false, value: chunk };
  }

  /**
   * The next chunk, `null` at the end; at once if it is there.
   *
   * @throws what the queue failed with
   */
  read(): MaybePromise<Uint8Array | null> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.onRead();
      return chunk;
    }
    if (this.#failure !== null) throw this.#failure.error;
    if (this.#isEnded || this.#isAbandoned) return null;
    const next = new Promise<Uint8Array | null>((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
    this.onRead();
    return next;
  }

  /** Nobody reads the rest: it is dropped as it comes. */
  return(): Promise<IteratorResult<Uint8Array>> {
    this.#isAbandoned = true;
    this.takeAll();
    this.#waiting?.resolve(null);
    this.#waiting = null;
    this.onRead();
    return Promise.resolve(END);
  }

  /** Everything that is held in memory. */
  protected takeAll(): readonly Uint8Array[] {
    return this.#chunks.takeAll();
  }
}

const END: IteratorResult<Uint8Array> = { done: true, value: undefined };
