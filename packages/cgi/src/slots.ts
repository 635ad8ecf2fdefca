// How many programs run at once; a short queue; beyond it 503 (R-C21).
import { HeaderList, isGatewayError, type MaybePromise, WaitQueue, type WaitQueueOptions } from "@gw/core";
import { CgiError } from "./errors.ts";

/** How many programs a mount runs at once; how many requests wait for one to end, and how long. */
export interface SlotOptions extends WaitQueueOptions {
  /** Programs that run at the same time. @default 16 */
  maxProcesses?: number;
}

/** Gives a slot back; further calls do nothing. */
export type Release = () => void;

/** Counts running programs and lines up the rest, first come first served. */
export class Slots {
  readonly #maxProcesses: number;
  readonly #queue: WaitQueue<Release>;
  #running = 0;

  constructor({ maxProcesses = 16, ...queue }: SlotOptions = {}) {
    this.#maxProcesses = maxProcesses;
    this.#queue = new WaitQueue(queue);
  }

  /** Programs that run now. */
  get running(): number {
    return this.#running;
  }

  /** Requests that wait now. */
  get queued(): number {
    return this.#queue.length;
  }

  /**
   * Takes a slot: at once if one is free.
   *
   * @param signal fires when the client leaves; it then leaves the queue too.
   * @throws CgiError `GW_CGI_BUSY` (503 with Retry-After) if the queue is full or the wait too long, `GW_CGI_GONE` if the client left.
   */
  take(signal: AbortSignal): MaybePromise<Release> {
    if (this.#running < this.#maxProcesses) return this.#grant();
    return this.#queue.wait(signal).catch((error: unknown) => {
      if (isGatewayError(error, "GW_UPSTREAM_BUSY")) throw this.#busy(error);
      throw new CgiError("GW_CGI_GONE", "the client left while its request was queued", { cause: error });
    });
  }

  #grant(): Release {
    this.#running++;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#running--;
      if (this.#queue.length > 0) this.#queue.serve(this.#grant());
    };
  }

  #busy(cause: unknown): CgiError {
    const message = `${this.#running} ${this.#running === 1 ? "program runs" : "programs run"}, and no request may wait longer or behind the others`;
    return new CgiError("GW_CGI_BUSY", message, { headers: retryLater, cause });
  }
}

const retryLater: HeaderList = HeaderList.from({ "Retry-After": "5" });
