// The body of an answer on its way from a thread: a window of it waits at most (R-W7).

/** What the body tells its request. */
export interface AnswerStreamEvents {
  /** The client has taken this many bytes: as many may follow. */
  taken(bytes: number): void;
  /** Nobody reads on. */
  left(): void;
}

type Step = IteratorResult<Uint8Array>;
const END: Step = { done: true, value: undefined };

/** Chunks as they come. Can be iterated once. */
export class AnswerStream implements AsyncIterableIterator<Uint8Array> {
  readonly #events: AnswerStreamEvents;
  readonly #creditBytes: number;
  readonly #chunks: Uint8Array[] = [];
  #waiting: { resolve(step: Step): void; reject(error: unknown): void } | null = null;
  #taken = 0;
  #end: "open" | "ended" | "failed" | "left" = "open";
  #error: unknown = null;

  /** @param creditBytes credit goes back when this much was taken */
  constructor(creditBytes: number, events: AnswerStreamEvents) {
    this.#events = events;
    this.#creditBytes = creditBytes;
  }

  /** Takes a chunk from the thread. */
  push(bytes: Uint8Array): void {
    if (this.#end !== "open") return;
    this.#chunks.push(bytes);
    this.#serve();
  }

  /** It is complete. */
  end(): void {
    if (this.#end === "open") this.#end = "ended";
    this.#serve();
  }

  /** No more will come, and not because it is complete. */
  fail(error: unknown): void {
    if (this.#end !== "open") return;
    this.#end = "failed";
    this.#error = error;
    this.#serve();
  }

  next(): Promise<Step> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#serve();
    });
  }

  return(): Promise<Step> {
    this.leave();
    return Promise.resolve(END);
  }

  /** The reader stops. */
  leave(): void {
    if (this.#end === "left" || (this.#end === "ended" && this.#chunks.length === 0)) return;
    this.#end = "left";
    this.#chunks.length = 0;
    this.#waiting?.resolve(END);
    this.#waiting = null;
    this.#events.left();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    return this;
  }

  #serve(): void {
    const waiting = this.#waiting;
    const chunk = waiting === null ? undefined : this.#chunks.shift();
    if (waiting === null || (chunk === undefined && this.#end === "open")) return;
    this.#waiting = null;
    if (chunk !== undefined) {
      waiting.resolve({ done: false, value: chunk });
      this.#count(chunk.length);
    } else if (this.#end === "failed") waiting.reject(this.#error);
    else waiting.resolve(END);
  }

  #count(bytes: number): void {
    this.#taken += bytes;
    if (this.#taken < this.#creditBytes || this.#end !== "open") return;
    this.#events.taken(this.#taken);
    this.#taken = 0;
  }
}
