// How many programs run at once; a short queue; beyond it 503 (R-C21).
import { HeaderList, type MaybePromise } from "@gw/core";
import { CgiError } from "./errors.ts";

/** How many programs a mount runs at once. */
export interface SlotOptions {
  /** Programs that run at the same time. @default 16 */
  maxProcesses?: number;
  /** Requests that may wait for a program to end; further ones are answered 503 at once. @default 64 */
  maxQueued?: number;
  /** Longest wait in the queue, milliseconds; then 503. @default 5_000 */
  queueTimeoutMs?: number;
}

/** Gives a slot back; further calls do nothing. */
export type Release = () => void;

interface Waiter {
  readonly grant: (release: Release) => void;
}

/** Counts running programs and lines up the rest, first come first served. */
export class Slots {
  readonly #maxProcesses: number;
  readonly #maxQueued: number;
  readonly #queueTimeoutMs: number;
  readonly #waiters: Set<Waiter> = new Set();
  #running = 0;

  constructor({ maxProcesses = 16, maxQueued = 64, queueTimeoutMs = 5_000 }: SlotOptions = {}) {
    this.#maxProcesses = maxProcesses;
    this.#maxQueued = maxQueued;
    this.#queueTimeoutMs = queueTimeoutMs;
  }

  /** Programs that run now. */
  get running(): number {
    return this.#running;
  }

  /** Requests that wait now. */
  get queued(): number {
    return this.#waiters.size;
  }

  /**
   * Takes a slot: at once if one is free.
   *
   * @param signal fires when the client leaves; it then leaves the queue too.
   * @throws CgiError `GW_CGI_BUSY` (503 with Retry-After) if the queue is full or the wait too long, `GW_CGI_GONE` if the client left.
   */
  take(signal: AbortSignal): MaybePromise<Release> {
    if (this.#running < this.#maxProcesses) return this.#grant();
    if (this.#waiters.size >= this.#maxQueued) throw this.#busy(`${this.#waiters.size} requests wait already`);
    return this.#wait(signal);
  }

  #wait(signal: AbortSignal): Promise<Release> {
    return new Promise((resolve, reject) => {
      const leave = (error: CgiError): void => {
        done();
        reject(error);
      };
      const waiter: Waiter = {
        grant: (release) => {
          done();
          resolve(release);
        },
      };
      const late = setTimeout(
        () => leave(this.#busy(`none of them ended within ${this.#queueTimeoutMs} ms`)),
        this.#queueTimeoutMs,
      );
      const gone = (): void => leave(new CgiError("GW_CGI_GONE", "the client left while its request was queued"));
      const done = (): void => {
        clearTimeout(late);
        signal.removeEventListener("abort", gone);
        this.#waiters.delete(waiter);
      };
      this.#waiters.add(waiter);
      signal.addEventListener("abort", gone);
      if (signal.aborted) gone();
    });
  }

  #grant(): Release {
    this.#running++;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#running--;
      const [next] = this.#waiters;
      next?.grant(this.#grant());
    };
  }

  #busy(why: string): CgiError {
    return new CgiError("GW_CGI_BUSY", `${this.#running} programs run, ${why}`, { headers: retryLater });
  }
}

const retryLater: HeaderList = HeaderList.from({ "Retry-After": "5" });
