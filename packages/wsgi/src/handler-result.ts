// What toWsgi returns to the WSGI server: the answer's body, which ends the exchange when it is closed.
import { type HttpResponse, isPromise, type OpenExchange, type Runtime } from "@gw/core";
import type { WsgiIterable } from "./types.ts";

/** Inputs of a HandlerResult. */
export interface HandlerResultOptions {
  readonly response: HttpResponse;
  readonly body: null | Uint8Array | Iterable<Uint8Array>;
  readonly exchange: OpenExchange;
  readonly runtime: Runtime;
  /** Whether the server does not send the body anyway. */
  readonly isHead: boolean;
}

/** The iterable of one answer. `close()` closes the answer and ends its exchange, once. */
export class HandlerResult implements WsgiIterable {
  /** Number of chunks where it is known, as PEP 3333's `len(iterable)`: a server then knows the length of the body. */
  readonly length?: number;
  readonly #options: HandlerResultOptions;
  #bytesSent = 0;
  #isSent: boolean;
  #error: unknown = null;
  #isClosed = false;

  constructor(options: HandlerResultOptions) {
    const { body } = options;
    this.#options = options;
    this.#isSent = options.isHead || body === null;
    if (body === null) this.length = 0;
    else if (body instanceof Uint8Array) this.length = 1;
  }

  *[Symbol.iterator](): Generator<Uint8Array> {
    const { body } = this.#options;
    const chunks = body === null ? [] : body instanceof Uint8Array ? [body] : body;
    try {
      for (const chunk of chunks) {
        this.#bytesSent += chunk.length;
        // A server that knows our `length` may stop after the last chunk.
        this.#isSent = this.length === 1;
        yield chunk;
      }
      this.#isSent = true;
    } catch (error) {
      this.#error = error;
      throw error;
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { response, exchange, runtime } = this.#options;
    try {
      const closing = response.close?.();
      if (isPromise(closing)) runtime.track(closing.catch((error: unknown) => this.#logClose(error)));
    } finally {
      const result = this.#isSent ? "sent" : this.#error === null ? "gone" : "cut";
      exchange.end({ status: response.status, bytesSent: this.#bytesSent, result, error: this.#error });
    }
  }

  #logClose(error: unknown): void {
    this.#options.exchange.log.error({ err: error }, "closing an answer failed");
  }
}
