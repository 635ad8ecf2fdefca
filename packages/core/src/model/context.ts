// What an app is given at start: log, metrics, counters, permits and backends of the gateway it runs in.
import type { Backends } from "./backend.ts";
import type { Logger } from "./log.ts";
import type { MaybePromise } from "./maybe-promise.ts";
import type { Permits } from "./permits.ts";

/** Label names and values of one metric sample. */
export type MetricLabels = Readonly<Record<string, string>>;

/** A number that only grows. */
export interface Counter {
  /** Adds to the sample with these labels. @default by 1 */
  add(by?: number, labels?: MetricLabels): void;
  /** The sample with these labels: looked up once, adding to it is cheap. */
  withLabels(labels: MetricLabels): Pick<Counter, "add">;
}

/** A number that goes up and down. */
export interface Gauge {
  set(value: number, labels?: MetricLabels): void;
  add(by: number, labels?: MetricLabels): void;
  /** The sample with these labels: looked up once, changing it is cheap. */
  withLabels(labels: MetricLabels): Pick<Gauge, "set" | "add">;
}

/** Counts observations in buckets. */
export interface Histogram {
  observe(value: number, labels?: MetricLabels): void;
  /** The buckets with these labels: looked up once, observing is cheap. */
  withLabels(labels: MetricLabels): Pick<Histogram, "observe">;
}

/** What every metric is declared with. Asking twice for one name gives the same metric. */
export interface MetricOptions {
  /** Prometheus name with its unit: `gw_request_duration_seconds`. */
  name: string;
  /** One sentence for people. */
  help: string;
}

/** The metrics of a gateway. */
export interface Metrics {
  counter(options: MetricOptions): Counter;
  gauge(options: MetricOptions): Gauge;
  /** @param options.buckets upper bounds, ascending; `+Inf` is added. */
  histogram(options: MetricOptions & { buckets: readonly number[] }): Histogram;
  /** All samples in the Prometheus text format 0.0.4. */
  toText(): string;
}

/** What a counter says after a hit. */
export interface CounterReading {
  /** Hits in the current window, this one included. */
  readonly count: number;
  /** Hits in the window before it: for sliding estimates. */
  readonly previous: number;
  /** Milliseconds until the current window ends. */
  readonly resetMs: number;
}

/** Counts per key and time window: in this process, or in the primary's when there are several workers. */
export interface Counters {
  /** Adds `by` to the key's current window. @default by 1 */
  hit(key: string, options: { windowMs: number; by?: number }): MaybePromise<CounterReading>;
}

/** What `start` is given. */
export interface AppContext {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly counters: Counters;
  readonly permits: Permits;
  readonly backends: Backends;
  /** Whether this process ends after one exchange, as under CGI. @default false */
  readonly runsOnce?: boolean;
  /** Whether other processes run the same apps beside this one. @default false */
  readonly hasSiblings?: boolean;
  /**
   * URL of a module whose `load(file, name)` gives an export of a file: how this process reads apps, for threads that are to
   * read them, too. @default `import()`
   */
  readonly moduleLoader?: string;
}
