// An answer as events: the send side of a handler under an ASGI server.
import { discard, HeaderList, type HttpResponse, isBodilessStatus, type Outcome, pumpBody } from "@gw/core";
import type { Send } from "./app.ts";
import { isLeaving } from "./errors.ts";
import { toPairs } from "./header-pairs.ts";

/** Where an answer goes. */
export interface AnswerTarget {
  readonly send: Send;
  /** Fires when the client has gone. */
  readonly signal: AbortSignal;
  /** Protocol of the events: a refused socket has names of its own. */
  readonly protocol: "http" | "websocket.http";
  /** Whether the request was HEAD. */
  readonly isHead: boolean;
  /** Whether the server takes trailers. */
  readonly hasTrailers: boolean;
}

/**
 * Sends an answer and closes it, exactly once. Never rejects: what went wrong is in the outcome.
 *
 * A body that breaks off leaves the response without its last event; the app must throw then, so that the server
 * cuts it off.
 */
export async function sendAnswer(answer: HttpResponse, target: AnswerTarget): Promise<Outcome> {
  const { status } = answer;
  const sending = new AnswerSending(answer, target);
  try {
    await sending.run();
    return { status, bytesSent: sending.bytesSent, result: "sent", error: null };
  } catch (error) {
    const isGone = target.signal.aborted || isLeaving(error);
    return { status, bytesSent: sending.bytesSent, result: isGone ? "gone" : "cut", error: isGone ? null : error };
  }
}

class AnswerSending {
  bytesSent = 0;
  readonly #answer: HttpResponse;
  readonly #target: AnswerTarget;

  constructor(answer: HttpResponse, target: AnswerTarget) {
    this.#answer = answer;
    this.#target = target;
  }

  async run(): Promise<void> {
    const { isHead, hasTrailers, signal } = this.#target;
    const withTrailers = hasTrailers && this.#answer.trailers !== undefined;
    await this.#orDiscard(() => this.#start(withTrailers));
    if (isHead || isBodilessStatus(this.#answer.status)) {
      await discard(this.#answer);
      await this.#body(undefined, false);
    } else if (this.#answer.body instanceof Uint8Array && !withTrailers) {
      const { body } = this.#answer;
      await this.#orDiscard(() => this.#body(body, false));
      await discard(this.#answer);
    } else {
      const { trailers } = await pumpBody(this.#answer, { signal, write: (chunk) => this.#body(chunk, true) });
      await this.#body(undefined, false);
      if (withTrailers)
        await this.#target.send({ type: "http.response.trailers", headers: toPairs(trailers ?? HeaderList.empty) });
    }
  }

  #start(trailers: boolean): Promise<void> {
    const { status, headers } = this.#answer;
    const { send, protocol } = this.#target;
    return send({
      type: `${protocol}.response.start`,
      status,
      headers: toPairs(headers),
      ...(trailers && { trailers }),
    });
  }

  #body(body: Uint8Array | undefined, more_body: boolean): Promise<void> {
    const { send, protocol } = this.#target;
    this.bytesSent += body?.length ?? 0;
    return send({ type: `${protocol}.response.body`, more_body, ...(body !== undefined && { body }) });
  }

  /** Until its body is read by the pump, the answer is ours to close. */
  async #orDiscard(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      await discard(this.#answer);
      throw error;
    }
  }
}
