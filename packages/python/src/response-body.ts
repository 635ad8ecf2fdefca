// The body of an answer on its way from a worker: a window of it waits at most (R-W7).
import type { ExclusiveBody } from "@gw/core";
import { ANSWER_WINDOW_BYTES } from "./codec/frames.ts";

/** What the body tells its call. */
export interface ResponseBodyEvents {
  /** The client has taken this many bytes: as many may follow. */
  taken(bytes: number): void;
  /** Nobody reads on. */
  left(): void;
}

type Step = IteratorResult<Uint8Array>;
const END: Step = { done: true, value: undefined };

/** Chunks as they come; credit goes back when half of the window was taken. Can be iterated once. */
export class ResponseBodyStream implements AsyncIterableIterator<Uint8Array>, ExclusiveBody {
  readonly #events: ResponseBodyEvents;
  readonly #chunks: Uint8Array[] = [];
  #waiting: { resolve(step: Step): void; reject(error: unknown): void } | null = null;
  #taken = 0;
  #isComplete = false;
  #isOver = false;
  #error: unknown = null;

  constructor(first: Uint8Array, events: ResponseBodyEvents) {
    this.#events = events;
    if (first.length > 0) this.#chunks.push(first);
  }

  /** Chunks are read by nobody but who iterates. */
  ownsItsChunks(): boolean {
    return #chunks in this;
  }

  /** Takes a chunk from the worker. */
  push(bytes: Uint8Array, isLast: boolean): void {
    if (isLast) this.#isComplete = true;
    if (this.#isOver) return;
    if (bytes.length > 0) this.#chunks.push(bytes);
    const waiting = this.#waiting;
    if (waiting === null || (bytes.length === 0 && !isLast)) return;
    this.#waiting = null;
    waiting.resolve(this.#step() ?? END);
  }

  /** No more will come, and not because it is complete. */
  fail(error: unknown): void {
    this.#error = error;
    this.#waiting?.reject(error);
    this.#waiting = null;
  }

  next(): Promise<Step> {
    if (this.#isOver) return Promise.resolve(END);
    const step = this.#step();
    if (step !== null) return Promise.resolve(step);
    if (this.#error !== null) return Promise.reject(this.#error as Error);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  return(): Promise<Step> {
    this.#leave();
    return Promise.resolve(END);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    return this;
  }

  #step(): Step | null {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#count(chunk.length);
      return { done: false, value: chunk };
    }
    return this.#isComplete ? END : null;
  }

  #count(bytes: number): void {
    this.#taken += bytes;
    if (this.#taken < ANSWER_WINDOW_BYTES / 2 || this.#isComplete) return;
    this.#events.taken(this.#taken);
    this.#taken = 0;
  }

  #leave(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#chunks.length = 0;
    this.#waiting?.resolve(END);
    this.#waiting = null;
    this.#events.left();
  }
}
