// One request on any HTTP version: its life from the head to the end of the answer.
import { notesIfAny, OpenExchange, type Outcome } from "@gw/core";
import type { Generation } from "./generation.ts";

/** The exchange of an HTTP carrier: counts itself in its generation, and knows how it ended. */
export class HttpExchange extends OpenExchange {
  readonly generation: Generation;
  readonly controller: AbortController = new AbortController();
  #isOver = false;

  constructor(generation: Generation) {
    super(generation.runtime);
    this.generation = generation;
    generation.running++;
  }

  /** Whether `end` was called. */
  get isOver(): boolean {
    return this.#isOver;
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
}
