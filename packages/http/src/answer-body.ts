// A body that arrives in pieces and is read at another pace: chunks wait here, and their writer waits with them.

interface Waiter {
  readonly resolve: (result: IteratorResult<Uint8Array>) => void;
  readonly reject: (error: unknown) => void;
}

/** How many bytes are held before the writer has to wait. */
const HIGH_WATER_BYTES = 65_536;

/** A queue of chunks between one writer and one reader. */
export class AnswerBody implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array> {
  readonly #onReturn: () => void;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #waiter: Waiter | null = null;
  #whenRead: (() => void) | null = null;
  #isEnded = false;
  #error: unknown = null;

  /** @param onReturn called when the reader stops early */
  constructor(onReturn: () => void) {
    this.#onReturn = onReturn;
  }

  /** Takes a chunk. */
  push(bytes: Uint8Array): void {
    const waiter = this.#waiter;
    this.#waiter = null;
    if (waiter !== null) return waiter.resolve({ done: false, value: bytes });
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
  }

  /** Calls back when more can be taken: at once, or when the reader has caught up. */
  whenRead(done: () => void): void {
    if (this.#queuedBytes < HIGH_WATER_BYTES) done();
    else this.#whenRead = done;
  }

  /** There is no more. */
  end(): void {
    this.#isEnded = true;
    const waiter = this.#waiter;
    this.#waiter = null;
    waiter?.resolve(END);
  }

  /** What is missing will not come. */
  fail(error: unknown): void {
    if (this.#isEnded || this.#error !== null) return;
    this.#error = error;
    const waiter = this.#waiter;
    this.#waiter = null;
    waiter?.reject(error);
  }

  /** All that is queued, as one; for a body that came whole. */
  takeAll(): Uint8Array {
    const [only = EMPTY] = this.#queue;
    const all = this.#queue.length <= 1 ? only : Buffer.concat(this.#queue);
    this.#queue = [];
    this.#queuedBytes = 0;
    return all;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    const chunk = this.#queue.shift();
    if (chunk !== undefined) {
      this.#queuedBytes -= chunk.length;
      this.#release();
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#error !== null) return Promise.reject(this.#error);
    if (this.#isEnded) return Promise.resolve(END);
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.#onReturn();
    return Promise.resolve(END);
  }

  #release(): void {
    if (this.#queuedBytes >= HIGH_WATER_BYTES) return;
    const done = this.#whenRead;
    this.#whenRead = null;
    done?.();
  }
}

const EMPTY = new Uint8Array(0);
const END: IteratorResult<Uint8Array> = { done: true, value: undefined };
