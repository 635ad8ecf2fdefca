// What a process tells of itself: that its loop turns, its memory, its exchanges.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { layer, type Middleware } from "@gw/core";
import type { WorkerFacts } from "./calls.ts";

/** Counts the exchanges of a process. */
export class ExchangeCount {
  started = 0;
  ended = 0;

  /** The layer that counts; put it outermost. */
  readonly layer: Middleware = layer({
    name: "exchangeCount",
    oncePerExchange: true,
    onRequest: (request) => {
      this.started++;
      request.exchange.onEnd(this.#end);
      return request;
    },
  });

  readonly #end = (): void => {
    this.ended++;
  };
}

const BEAT_MS = 1_000;
const NANOSECONDS = 1e6;

/** Feels the pulse of this process, about once a second, until it is stopped. */
export class VitalSigns {
  readonly #count: ExchangeCount;
  readonly #delay = monitorEventLoopDelay({ resolution: 20 });
  readonly #timer: NodeJS.Timeout;
  /** As it was at the last beat. */
  facts: WorkerFacts;

  /** @param tell is called at each beat, for the first time at once */
  constructor(count: ExchangeCount, tell: (facts: WorkerFacts) => void = () => {}) {
    this.#count = count;
    this.#delay.enable();
    this.facts = this.#feel();
    tell(this.facts);
    this.#timer = setInterval(() => {
      this.facts = this.#feel();
      tell(this.facts);
    }, BEAT_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#delay.disable();
  }

  #feel(): WorkerFacts {
    const { started, ended } = this.#count;
    const loopDelayMs = Math.round(this.#delay.max / NANOSECONDS);
    this.#delay.reset();
    return { rssBytes: process.memoryUsage.rss(), requests: ended, inFlight: started - ended, loopDelayMs };
  }
}
