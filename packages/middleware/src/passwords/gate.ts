// A few slow hashes at a time: wrong passwords by the thousand must not take the machine.
import { GatewayError, HeaderList } from "@gw/core";

/** Lets so many pieces of work run at once; others wait in order, and too many are refused. */
export class Gate {
  readonly #maxRunning: number;
  readonly #maxWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(maxRunning: number, maxWaiting: number) {
    this.#maxRunning = maxRunning;
    this.#maxWaiting = maxWaiting;
  }

  /** @throws GatewayError `GW_PASSWORD_BUSY` (503, Retry-After) if too many wait. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#maxRunning) await this.#turn();
    else this.#running++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next(); // our place is handed on
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= this.#maxWaiting) {
      throw new GatewayError("GW_PASSWORD_BUSY", 503, "too many passwords are being checked", {
        headers: HeaderList.from({ "Retry-After": "2" }),
      });
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
