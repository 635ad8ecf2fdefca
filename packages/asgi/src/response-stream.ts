// The body of a streamed response: what the app sends, taken by the carrier at the client's pace (R-W7).
import { rejected } from "./errors.ts";

interface Part {
  readonly chunk: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Reader {
  readonly resolve: (result: IteratorResult<Uint8Array>) => void;
  readonly reject: (error: unknown) => void;
}

const DONE: IteratorResult<Uint8Array> = { done: true, value: undefined };

/**
 * A channel of chunks. `push` settles when the carrier comes back for the next
 * chunk, which it does when the client can take more; so an app that awaits its
 * sends has one chunk in memory.
 */
export class ResponseStream implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array> {
  readonly #parts: Part[] = [];
  /** Given to the carrier, not yet sent. */
  #taken: Part | null = null;
  #reader: Reader | null = null;
  #end: "open" | "ended" | "failed" | "left" = "open";
  #error: unknown = null;
  #isRead = false;
  /** What `push` throws once the carrier has left. */
  readonly #leftError: () => Error;

  constructor(leftError: () => Error) {
    this.#leftError = leftError;
  }

  /** Whether the carrier stopped reading before the end. */
  get isLeft(): boolean {
    return this.#end === "left";
  }

  /** Hands a chunk over; rejects when the carrier has stopped reading. The promise may be ignored. */
  push(chunk: Uint8Array): Promise<void> {
    if (this.#end === "left") return rejected(this.#leftError());
    const pushed = new Promise<void>((resolve, reject) => {
      this.#parts.push({ chunk, resolve, reject });
      this.#serve();
    });
    pushed.catch(() => {});
    return pushed;
  }

  /** Nothing follows what was pushed. */
  end(): void {
    if (this.#end === "open") this.#end = "ended";
    this.#serve();
  }

  /** After what was pushed, the body breaks off with this error. */
  fail(error: unknown): void {
    if (this.#end === "open") {
      this.#end = "failed";
      this.#error = error;
    }
    this.#serve();
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    this.#isRead = true;
    this.#taken?.resolve();
    this.#taken = null;
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
      this.#serve();
    });
  }

  /** The carrier stops: the client has gone, or sending failed. */
  async return(): Promise<IteratorResult<Uint8Array>> {
    this.leave();
    return DONE;
  }

  /** Nobody will read the body: what was pushed counts as sent. False if somebody has begun to. */
  drop(): boolean {
    if (this.#isRead) return false;
    this.#end = "ended";
    for (const part of this.#parts.splice(0)) part.resolve();
    return true;
  }

  /** Like `return`, at once. */
  leave(): void {
    // A carrier need not come back after the last chunk: then all was sent.
    const isComplete = this.#end === "ended" && this.#parts.length === 0;
    if (isComplete) this.#taken?.resolve();
    else {
      this.#end = "left";
      this.#taken?.reject(this.#leftError());
    }
    this.#taken = null;
    for (const part of this.#parts.splice(0)) part.reject(this.#leftError());
    this.#reader?.resolve(DONE);
    this.#reader = null;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this;
  }

  #serve(): void {
    const reader = this.#reader;
    if (reader === null) return;
    const part = this.#parts.shift() ?? null;
    if (part === null && this.#end === "open") return;
    this.#reader = null;
    if (part !== null) {
      this.#taken = part;
      reader.resolve({ done: false, value: part.chunk });
    } else if (this.#end === "failed") reader.reject(this.#error);
    else reader.resolve(DONE);
  }
}
