// Requests that wait for a worker with room.
import { inPhase, type RequestHead } from "@gw/core";
import { clientGone, workersBusy } from "./errors.ts";

interface Waiting<W> {
  take(worker: W): void;
  refuse(error: unknown): void;
  readonly timer: NodeJS.Timeout;
}

/** A queue of bounded length; who waits too long, or is gone, leaves it. */
export class WaitingLine<W> {
  readonly #waiting = new Set<Waiting<W>>();
  readonly #maxQueued: number;

  constructor(maxQueued: number) {
    this.#maxQueued = maxQueued;
  }

  /** How many wait. */
  get length(): number {
    return this.#waiting.size;
  }

  /**
   * Waits for a worker.
   *
   * @throws GatewayError `GW_PYTHON_BUSY` (503) when the queue is full or the wait too long; `GW_PYTHON_GONE`
   */
  async wait(timeoutMs: number, { exchange, signal }: Pick<RequestHead, "exchange" | "signal">): Promise<W> {
    if (this.#waiting.size >= this.#maxQueued) throw workersBusy(`${this.#maxQueued} requests wait already`);
    return inPhase(exchange, "queue", () => this.#turn(timeoutMs, signal));
  }

  #turn(timeoutMs: number, signal: AbortSignal): Promise<W> {
    return new Promise((done, fail) => {
      const leave = (): void => {
        this.#waiting.delete(waiting);
        clearTimeout(waiting.timer);
        signal.removeEventListener("abort", gone);
      };
      const refuse = (error: unknown): void => {
        leave();
        fail(error as Error);
      };
      const gone = (): void => refuse(clientGone());
      const waiting: Waiting<W> = {
        take: (worker) => {
          leave();
          done(worker);
        },
        refuse,
        timer: setTimeout(() => refuse(workersBusy(`none was free for ${timeoutMs} ms`)), timeoutMs),
      };
      this.#waiting.add(waiting);
      signal.addEventListener("abort", gone, { once: true });
    });
  }

  /** Gives a worker to the one that has waited longest. */
  serve(worker: W): void {
    const [first] = this.#waiting;
    first?.take(worker);
  }

  /** Sends everybody away. */
  refuseAll(error: unknown): void {
    for (const waiting of [...this.#waiting]) waiting.refuse(error);
  }
}
