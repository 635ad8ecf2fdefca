// How many processes are wanted: at once as many as there is work for, fewer only after a while. Pure.

/** The bounds. */
export interface DemandOptions {
  readonly min: number;
  readonly max: number;
  /** Requests at once to each process. */
  readonly requestsPerProcess: number;
  /** How long a process that is not needed stays, milliseconds. */
  readonly idleTimeoutMs: number;
}

/** Remembers when how many processes were last needed. */
export class Demand {
  readonly #options: DemandOptions;
  /** At n - 1: when n processes were last needed. */
  readonly #neededAt: number[] = [];
  #wanted: number;

  constructor(options: DemandOptions) {
    this.#options = options;
    this.#wanted = options.min;
  }

  /** Processes that there should be. */
  get wanted(): number {
    return this.#wanted;
  }

  /** There are so many requests, running or waiting. @returns whether more processes are wanted than before */
  note(requests: number, nowMs: number): boolean {
    const { max, requestsPerProcess } = this.#options;
    const needed = Math.min(max, Math.ceil(requests / requestsPerProcess));
    for (let at = 0; at < needed; at++) this.#neededAt[at] = nowMs;
    if (needed <= this.#wanted) return false;
    this.#wanted = needed;
    return true;
  }

  /** Time has passed. @returns whether fewer processes are wanted than before */
  settle(nowMs: number): boolean {
    const { min, idleTimeoutMs } = this.#options;
    const before = this.#wanted;
    const isIdle = (): boolean => nowMs - (this.#neededAt[this.#wanted - 1] ?? 0) >= idleTimeoutMs;
    while (this.#wanted > min && isIdle()) this.#wanted--;
    return this.#wanted < before;
  }
}
