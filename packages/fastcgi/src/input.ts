// The input of one request: filled by the connection, read by the app.
import { GatewayError } from "@gw/core";

/** Bytes that have come and were not read yet. Each chunk is handed on once. */
export class InputQueue implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array> {
  readonly #chunks: Uint8Array[] = [];
  readonly #onRead: () => void;
  #unreadBytes = 0;
  #isEnded = false;
  #isAbandoned = false;
  #error: unknown = null;
  #waiting: { resolve: (result: IteratorResult<Uint8Array>) => void; reject: (error: unknown) => void } | null = null;

  /** @param onRead called when the app has taken something or waits for more */
  constructor(onRead: () => void) {
    this.#onRead = onRead;
  }

  /** Bytes held in memory. */
  get unreadBytes(): number {
    return this.#unreadBytes;
  }

  /** Whether the app waits for more. */
  get isStarving(): boolean {
    return this.#waiting !== null;
  }

  /** Adds bytes; dropped once nobody wants them any more. */
  push(chunk: Uint8Array): void {
    if (this.#isAbandoned || this.#error !== null) return;
    const waiting = this.#waiting;
    if (waiting !== null) {
      this.#waiting = null;
      waiting.resolve({ done: false, value: chunk });
      return;
    }
    this.#chunks.push(chunk);
    this.#unreadBytes += chunk.length;
  }

  /** Nothing more comes. */
  end(): void {
    this.#isEnded = true;
    this.#waiting?.resolve(END);
    this.#waiting = null;
  }

  /** The rest will never come. */
  fail(error: unknown): void {
    if (this.#isEnded) return;
    this.#error = error;
    this.#waiting?.reject(error);
    this.#waiting = null;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#unreadBytes -= chunk.length;
      this.#onRead();
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#error !== null) return Promise.reject(this.#error);
    if (this.#isEnded || this.#isAbandoned) return Promise.resolve(END);
    const next = new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
    this.#onRead();
    return next;
  }

  /** Nobody reads the rest: it is dropped as it comes. */
  return(): Promise<IteratorResult<Uint8Array>> {
    this.#isAbandoned = true;
    this.#chunks.length = 0;
    this.#unreadBytes = 0;
    this.#onRead();
    return Promise.resolve(END);
  }
}

const END: IteratorResult<Uint8Array> = { done: true, value: undefined };

/** The web server went away inside a request's input. */
export function inputCut(): GatewayError {
  return new GatewayError("GW_BODY_CUT", 400, "the web server closed the connection inside a request's input");
}
