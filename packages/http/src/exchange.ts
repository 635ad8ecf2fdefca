// One request on any HTTP version: its life from the head to the end of the answer.
import {
  type Answer,
  closeAnswer,
  GatewayError,
  type GatewayRequest,
  type HttpResponse,
  notesIfAny,
  OpenExchange,
  type Outcome,
  sendableResponse,
} from "@gw/core";
import type { Generation } from "./generation.ts";

/** The exchange of an HTTP carrier: counts itself in its generation and knows how it ends. */
export class HttpExchange extends OpenExchange {
  readonly generation: Generation;
  /** Aborted when the peer is gone; its signal is the request's. */
  readonly controller: AbortController = new AbortController();
  #isOver = false;

  constructor(generation: Generation) {
    super(generation.runtime);
    this.generation = generation;
    generation.running++;
  }

  /** Whether the exchange has ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether the peer is gone. */
  get isGone(): boolean {
    return this.controller.signal.aborted;
  }

  override end(outcome: Outcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    super.end(outcome);
    this.generation.leave();
  }

  /** Ends with an answer that went out whole. */
  endSent(status: number, bytesSent: number): void {
    this.end({ status, bytesSent, result: "sent", error: status >= 500 ? (notesIfAny(this)?.error ?? null) : null });
  }

  /** The answer, or a 500 in its place if it cannot be sent: nothing bad gets as far as the wire (R-H5). */
  sendable(answer: Answer, request: GatewayRequest): HttpResponse {
    return sendableResponse(answer, request, { runtime: this.generation.runtime, noSocket: notASocket });
  }

  /** Closes an answer; what goes wrong there is for the log. */
  closeAnswer(answer: Answer): void {
    closeAnswer(answer, { exchange: this }, this.generation.runtime);
  }
}

/** The peer went away: why `signal` fires. */
export function peerGone(): GatewayError {
  return new GatewayError("GW_HTTP_GONE", 499, "the client went away");
}

function notASocket(): GatewayError {
  return new GatewayError("GW_HTTP_NOT_A_SOCKET", 500, "the answer accepts a WebSocket, but the request opened none");
}
