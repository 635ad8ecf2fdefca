// What a worker tells of itself once a second: that its loop turns, its memory, its exchanges.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { layer, type Middleware } from "@gw/core";
import type { WorkerFacts } from "./calls.ts";

/** Counts the exchanges of a worker. */
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

/** Tells how the process is doing, about once a second, until it is stopped. */
export function beatRegularly(count: ExchangeCount, tell: (facts: WorkerFacts) => void): () => void {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  const beat = (): void => {
    const loopDelayMs = Math.round(delay.max / NANOSECONDS);
    delay.reset();
    tell({
      rssBytes: process.memoryUsage.rss(),
      requests: count.ended,
      inFlight: count.started - count.ended,
      loopDelayMs,
    });
  };
  const timer = setInterval(beat, BEAT_MS);
  timer.unref();
  beat();
  return () => {
    clearInterval(timer);
    delay.disable();
  };
}
