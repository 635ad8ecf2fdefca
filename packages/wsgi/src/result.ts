// The iterable an app returned, as the body of an answer: checked chunk by chunk, closed exactly once (R-W3, R-W4).
import { GatewayError } from "@gw/core";
import type { WsgiIterable } from "./types.ts";

/**
 * Walks the iterable of one call of an app.
 *
 * `next` gives chunks as they come, never empty ones, never more bytes than
 * Content-Length. `close` ends a generator that was not walked to its end and
 * calls the iterable's own `close()`; further calls do nothing.
 */
export class ResultReader implements Iterable<Uint8Array>, Iterator<Uint8Array> {
  readonly #result: WsgiIterable;
  readonly #onClose: () => void;
  #iterator: Iterator<Uint8Array> | null = null;
  /** Chunks that go out before those of the iterable. */
  readonly #pending: Uint8Array[] = [];
  #maxBytes: number | null = null;
  #bytes = 0;
  /** The iterable has ended by itself: there is no generator to end. */
  #isExhausted = false;
  /** No chunk follows, whatever the iterable may still have. */
  #isOver = false;
  #isClosed = false;

  /** @param onClose runs when the iterable was closed, also if that failed */
  constructor(result: WsgiIterable, onClose: () => void) {
    if (typeof result?.[Symbol.iterator] !== "function") throw noIterable(result);
    this.#result = result;
    this.#onClose = onClose;
  }

  /** Says how many bytes the head announces, and what goes out first. */
  announce(length: number | null, first: readonly Uint8Array[]): void {
    this.#maxBytes = length;
    this.#pending.push(...first);
  }

  /** The next chunk that is not empty, straight from the iterable; `null` at its end. */
  pull(): Uint8Array | null {
    while (!this.#isExhausted) {
      const chunk = this.#step();
      if (chunk !== null && chunk.length > 0) return chunk;
    }
    return null;
  }

  next(): IteratorResult<Uint8Array> {
    if (this.#isOver) return { done: true, value: undefined };
    const chunk = this.#pending.shift() ?? this.pull();
    if (chunk === null) return this.#finish();
    const room = this.#maxBytes === null ? Number.POSITIVE_INFINITY : this.#maxBytes - this.#bytes;
    this.#bytes += Math.min(chunk.length, room);
    // "should stop iterating over the response when enough data has been sent" (PEP 3333)
    if (chunk.length >= room) this.#isOver = true;
    return { done: false, value: chunk.length > room ? chunk.subarray(0, room) : chunk };
  }

  return(): IteratorResult<Uint8Array> {
    this.#isOver = true;
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): Iterator<Uint8Array> {
    return this;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isOver = true;
    try {
      if (!this.#isExhausted) this.#iterator?.return?.();
    } finally {
      try {
        this.#result.close?.();
      } finally {
        this.#onClose();
      }
    }
  }

  #step(): Uint8Array | null {
    let step: IteratorResult<Uint8Array>;
    try {
      this.#iterator ??= this.#result[Symbol.iterator]();
      step = this.#iterator.next();
    } catch (error) {
      this.#isExhausted = true;
      throw error;
    }
    if (!step.done) return checkChunk(step.value);
    this.#isExhausted = true;
    return null;
  }

  #finish(): IteratorResult<Uint8Array> {
    this.#isOver = true;
    if (this.#maxBytes !== null && this.#bytes < this.#maxBytes) throw tooShort(this.#maxBytes, this.#bytes);
    return { done: true, value: undefined };
  }
}

/** @throws GatewayError `GW_WSGI_CHUNK` unless it is a Uint8Array */
export function checkChunk(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  throw new GatewayError(
    "GW_WSGI_CHUNK",
    500,
    `the app's iterable must give Uint8Array chunks, found ${chunk === null ? "null" : typeof chunk}; encode text with encodeText()`,
  );
}

/** The error of a body that ends before its Content-Length. */
export function tooShort(expected: number, found: number): GatewayError {
  return new GatewayError(
    "GW_LENGTH_MISMATCH",
    500,
    `the answer's Content-Length is ${expected}, its body has ${found} bytes`,
  );
}

function noIterable(result: unknown): GatewayError {
  const isAsync = typeof (result as { then?: unknown } | null | undefined)?.then === "function";
  return new GatewayError(
    "GW_WSGI_RESULT",
    500,
    isAsync
      ? "the app returned a promise: a WSGI app is synchronous; write it as a handler, or ASGI-shaped"
      : `the app must return an iterable of Uint8Array, found ${result === null ? "null" : typeof result}`,
  );
}
