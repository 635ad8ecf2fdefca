// What an app is given at start: log, metrics, counters and backends of the gateway it runs in.
import type { Logger } from "./log.ts";
import type { MaybePromise } from "./maybe-promise.ts";

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

/** A program to keep running. Plain data, so that it can be asked of another process. */
export interface BackendSpec {
  /** Name in logs, metrics and the status page; unique in a gateway. */
  readonly name: string;
  /** Program and its arguments. */
  readonly command: readonly [program: string, ...args: readonly string[]];
  /** Working directory. @default the gateway's */
  readonly cwd?: string;
  /** The whole environment of the program; nothing of ours is added. */
  readonly env: Readonly<Record<string, string>>;
  /** Processes to keep. @default 1 */
  readonly processes?: number;
  /** `"fd0"`: a listening unix socket shared by all processes is descriptor 0 (FastCGI). `"path"`: each process gets `GW_SOCKET`, a path to listen on. `"none"`. */
  readonly socket: "fd0" | "path" | "none";
  /** When a process counts as ready. `"spawn"`: at once. `"connect"`: its socket accepts. `"line"`: it wrote the line `ready` to descriptor 3. */
  readonly ready: "spawn" | "connect" | "line";
  /** Time to become ready, milliseconds. @default 30_000 */
  readonly startTimeoutMs?: number;
  /** From TERM to KILL of the process group, milliseconds. @default 5_000 */
  readonly stopTimeoutMs?: number;
  /** First and longest pause before a crashed process is started again, milliseconds. @default [1_000, 30_000] */
  readonly backOffMs?: readonly [first: number, longest: number];
}

/** State of a backend or mount, as shown on the status page. */
export type BackendState = "starting" | "ready" | "degraded" | "failed" | "stopped";

/** A running backend. */
export interface Backend {
  readonly name: string;
  readonly state: BackendState;
  /** Paths of the unix sockets where it accepts, one per ready process or one shared. */
  readonly addresses: readonly string[];
  /** Settles when it is first ready, rejects if it fails before. It goes on trying either way. */
  readonly ready: Promise<void>;
  /** The last error: exit code, signal and the end of its stderr; `null` while all is well. */
  readonly lastError: string | null;
  /** Replaces every process by a new one, each ready before the old one is asked to stop. */
  roll(): Promise<void>;
  /** TERM, wait, KILL; settles when all are gone. */
  stop(): Promise<void>;
}

/** Starts backends: in this process when alone, in the primary under several workers, so that pools are counted once. */
export interface Backends {
  start(spec: BackendSpec): Promise<Backend>;
}

/** What `start` is given. */
export interface AppContext {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly counters: Counters;
  readonly backends: Backends;
}
