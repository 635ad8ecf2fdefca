// The receive side of an http call: the parts of the body, then the disconnect.
import { isGatewayError, type RequestHead } from "@gw/core";
import { Deferred } from "./deferred.ts";
import { cancelledError, rejected } from "./errors.ts";
import type { HttpDisconnectEvent, HttpRequestEvent } from "./events.ts";

type Event = HttpRequestEvent | HttpDisconnectEvent;

const EMPTY: Uint8Array = new Uint8Array(0);

/**
 * Gives the events that `receive` returns. Made when an app first asks.
 *
 * Nothing of the body is read before it is asked for; a carrier sends
 * `100 Continue` then.
 */
export class RequestEvents {
  readonly #request: RequestHead;
  #iterator: AsyncIterator<Uint8Array> | null = null;
  #bytes = 0;
  /** `reading`: parts of the body follow. `read`: only the disconnect follows. `over`: it is there. */
  #stage: "reading" | "read" | "over" = "reading";
  #waiting: Deferred<Event> | null = null;
  #isCancelled = false;
  #wasTold = false;

  constructor(request: RequestHead) {
    this.#request = request;
  }

  next(): Promise<Event> {
    if (this.#isCancelled) return rejected(cancelledError());
    if (this.#waiting !== null) return this.#nextInTurn(this.#waiting.promise);
    if (this.#stage === "over" || this.#request.signal.aborted) return this.#tellDisconnect();
    if (this.#stage === "read") return this.#waitForEnd();
    if (this.#request.body.length !== 0) return this.#readPart();
    this.#stage = "read";
    return Promise.resolve({ type: "http.request", body: EMPTY, more_body: false });
  }

  /** The response is over or the client has gone: only the disconnect is left to tell. */
  end(): void {
    this.#stage = "over";
    this.#settleWaiting((waiting) => waiting.resolve(this.#disconnect()));
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#settleWaiting((waiting) => waiting.reject(cancelledError()));
  }

  /** The app reads no more: lets go of a body it left unread. */
  release(): void {
    this.#request.signal.removeEventListener("abort", this.#onAbort);
    this.#iterator?.return?.().catch(() => {});
    this.#iterator = null;
  }

  #settleWaiting(settle: (waiting: Deferred<Event>) => void): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting !== null) settle(waiting);
  }

  /** One read at a time: a body's iterator may not like more. */
  #nextInTurn(before: Promise<Event>): Promise<Event> {
    const next = before.then(
      () => this.next(),
      () => this.next(),
    );
    next.catch(() => {});
    return next;
  }

  #wait(): Deferred<Event> {
    const waiting = new Deferred<Event>();
    const forget = (): void => {
      if (this.#waiting === waiting) this.#waiting = null;
    };
    waiting.promise.then(forget, forget);
    this.#waiting = waiting;
    return waiting;
  }

  #readPart(): Promise<Event> {
    const waiting = this.#wait();
    this.#read().then(waiting.resolve, (error: unknown) => {
      // The peer went away inside the body.
      if (isGatewayError(error, "GW_BODY_CUT")) waiting.resolve(this.#disconnect());
      else waiting.reject(error);
    });
    return waiting.promise;
  }

  async #read(): Promise<Event> {
    const { body } = this.#request;
    this.#iterator ??= body[Symbol.asyncIterator]();
    const { done, value = EMPTY } = await this.#iterator.next();
    this.#bytes += value.length;
    const isLast = done === true || this.#bytes === body.length;
    if (isLast && this.#stage === "reading") this.#stage = "read";
    if (isLast) this.#endIteration(done === true);
    return { type: "http.request", body: value, more_body: !isLast };
  }

  /** With the last announced byte the body is complete: its iterator is walked to the end, not stopped. */
  #endIteration(isDone: boolean): void {
    if (!isDone) this.#iterator?.next().catch(() => {});
    this.#iterator = null;
  }

  #waitForEnd(): Promise<Event> {
    const waiting = this.#wait();
    this.#request.signal.addEventListener("abort", this.#onAbort, { once: true });
    return waiting.promise;
  }

  readonly #onAbort = (): void => this.end();

  /** The first time at once, later after a turn of the event loop: a loop of receives starves nobody. */
  #tellDisconnect(): Promise<Event> {
    if (!this.#wasTold) return Promise.resolve(this.#disconnect());
    return new Promise((resolve) => setImmediate(() => resolve(this.#disconnect())));
  }

  #disconnect(): HttpDisconnectEvent {
    this.#wasTold = true;
    return { type: "http.disconnect" };
  }
}
