// What a limit tells of itself: how many are in and how many wait, whom it refused and how long a turn took.
import type { Metrics } from "@gw/core";
import type { Refusal } from "./waiting-line.ts";

const BUCKETS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The metrics of one limit; several processes' add up. */
export class LimitMeters {
  readonly #running: { add(by: number): void };
  readonly #waiting: { add(by: number): void };
  readonly #waits: { observe(value: number): void };
  readonly #refused: Readonly<Record<Refusal, { add(by?: number): void }>>;
  #length = 0;

  /** @param limit the name of the limit */
  constructor(metrics: Metrics, limit: string) {
    const labels = { limit };
    const running = {
      name: "gw_concurrency_running",
      help: "Requests that a limit has let in and that have not ended.",
    };
    const waiting = { name: "gw_concurrency_waiting", help: "Requests that wait for a turn." };
    const waits = {
      name: "gw_concurrency_wait_seconds",
      help: "How long requests waited that had to.",
      buckets: BUCKETS,
    };
    const refused = metrics.counter({ name: "gw_concurrency_refused_total", help: "Requests that a limit refused." });
    this.#running = metrics.gauge(running).withLabels(labels);
    this.#waiting = metrics.gauge(waiting).withLabels(labels);
    this.#waits = metrics.histogram(waits).withLabels(labels);
    this.#refused = {
      full: refused.withLabels({ ...labels, reason: "full" }),
      late: refused.withLabels({ ...labels, reason: "late" }),
    };
    this.#running.add(0);
    this.#waiting.add(0);
  }

  /** So many more are in. */
  running(by: number): void {
    this.#running.add(by);
  }

  /** So many wait now, of this line. */
  waiting(length: number): void {
    this.#waiting.add(length - this.#length);
    this.#length = length;
  }

  /** One has waited. */
  waited(seconds: number): void {
    this.#waits.observe(seconds);
  }

  /** One was refused. */
  refused(why: Refusal): void {
    this.#refused[why].add(1);
  }
}
