// The body of one request: chunks off a node:http message or a node:http2 stream, read only when asked.
import type { Readable } from "node:stream";
import { GatewayError } from "@gw/core";
import { lend } from "@gw/core/node";

/** How many bytes are held before the client has to wait. */
const HIGH_WATER_BYTES = 131_072;

interface Waiter {
  readonly resolve: (result: IteratorResult<Uint8Array>) => void;
  readonly reject: (error: unknown) => void;
}

/** What else is known of a body. */
export interface StreamBodyOptions {
  /** Looks at what follows the body; an error is the body's error. */
  readonly checkEnd?: () => unknown;
  /** Whether nobody else listens to the source: a chunk is in the hands of its reader alone. @default false */
  readonly isOurs?: boolean;
}

/** What becomes of a body that nobody wants. */
export interface Drain {
  /** Bytes that are thrown away at most. */
  readonly maxBytes: number;
  /** It has come to its end. */
  readonly onEnd: () => void;
  /** It is longer than that. */
  readonly onTooLong: () => void;
}

/** A source for `incomingBody`. One iteration only; an early `return` leaves the rest on the wire, for the carrier. */
export class StreamBody implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array> {
  /** Bytes that have arrived. */
  receivedBytes = 0;
  readonly #source: Readable;
  readonly #checkEnd: (() => unknown) | undefined;
  readonly #isOurs: boolean;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #waiter: Waiter | null = null;
  #isBegun = false;
  #isEnded = false;
  #isDropped = false;
  #isPaused = false;
  #error: unknown = null;
  #drain: Drain | null = null;

  constructor(source: Readable, { checkEnd, isOurs = false }: StreamBodyOptions = {}) {
    this.#source = source;
    this.#checkEnd = checkEnd;
    this.#isOurs = isOurs;
  }

  /** Whether the app waits for bytes that the client has not sent. */
  get isWaiting(): boolean {
    return this.#waiter !== null;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    this.#open();
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    const chunk = this.#queue.shift();
    if (chunk !== undefined) {
      this.#queuedBytes -= chunk.length;
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#error !== null) return Promise.reject(this.#error);
    if (this.#isEnded || this.#isDropped) return Promise.resolve(END);
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
      this.#resume();
    });
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.#isDropped = true;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#pause();
    return Promise.resolve(END);
  }

  /** The client is gone, too slow, or sent what is no body. */
  fail(error: unknown): void {
    if (this.#isEnded || this.#error !== null) return;
    this.#error = error;
    const waiter = this.#waiter;
    this.#waiter = null;
    waiter?.reject(error);
  }

  /** Whether it broke off: nothing behind it can be read. */
  get hasFailed(): boolean {
    return this.#error !== null;
  }

  /** Whether it is being read and has not come to its end. */
  get isOpen(): boolean {
    return this.#isBegun && !this.#isEnded && this.#error === null;
  }

  /** Reads and throws away what is left. */
  drain(drain: Drain): void {
    if (this.#isEnded) return drain.onEnd();
    this.#drain = { ...drain, maxBytes: this.receivedBytes + drain.maxBytes };
    this.#isDropped = true;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#open();
    this.#resume();
  }

  #open(): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    if (this.#source.readableEnded || this.#source.destroyed) return this.fail(readBefore());
    this.#source.on("data", (chunk: Buffer) => this.#onData(chunk));
    this.#source.on("end", () => this.#onEnd());
  }

  #onData(chunk: Uint8Array): void {
    this.receivedBytes += chunk.length;
    if (this.#drain !== null && this.receivedBytes > this.#drain.maxBytes) this.#drain.onTooLong();
    if (this.#isDropped) return;
    // Whoever traces the process may listen, too, and keep what it sees.
    if (this.#isOurs && this.#source.listenerCount("data") === 1) lend(chunk, chunk.length);
    const waiter = this.#waiter;
    if (waiter !== null) {
      this.#waiter = null;
      waiter.resolve({ done: false, value: chunk });
      return;
    }
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.length;
    if (this.#queuedBytes >= HIGH_WATER_BYTES) this.#pause();
  }

  #onEnd(): void {
    const error = this.#checkEnd?.() ?? null;
    if (error !== null) this.fail(error);
    this.#isEnded = true;
    const waiter = this.#waiter;
    this.#waiter = null;
    waiter?.resolve(END);
    this.#drain?.onEnd();
  }

  #pause(): void {
    if (this.#isPaused || !this.#isBegun) return;
    this.#isPaused = true;
    this.#source.pause();
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#source.resume();
  }
}

/** In a foreign server somebody may have been here before us. */
function readBefore(): GatewayError {
  return new GatewayError(
    "GW_BODY_USED",
    500,
    "the request body was read before the app got it; mount the app before body parsers",
  );
}

const END: IteratorResult<Uint8Array> = { done: true, value: undefined };
