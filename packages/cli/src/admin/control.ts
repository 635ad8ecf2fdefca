// What the admin listener and `gw ctl` can see and do: the same for one process and for a tree.
import type { Backend, BackendProcess, BackendState, Description, Status } from "@gw/core";
import type { LogLevel } from "@gw/core/node";
import type { LimitStatus } from "./limit-status.ts";

declare const __GW_VERSION__: string;

/** One process that serves. */
export interface WorkerStatus {
  readonly pid: number;
  readonly state: BackendProcess["state"];
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Counts up with each reload. */
  readonly generation: number;
  /** Resident memory, bytes. */
  readonly rssBytes: number;
  /** Exchanges that have ended. */
  readonly requests: number;
  readonly inFlight: number;
  /** Longest delay of the event loop within the last second, milliseconds. */
  readonly loopDelayMs: number;
}

/** A program that runs beside the gateway. */
export interface BackendStatus {
  readonly name: string;
  readonly state: BackendState;
  readonly error: string | null;
  readonly processes: readonly BackendProcess[];
}

/** An error that was logged. */
export interface LoggedError {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly level: "warn" | "error" | "fatal";
  readonly message: string;
  /** Process that logged it. */
  readonly pid: number;
}

/** The same error, however often it was logged. */
export interface RecentError extends LoggedError {
  /** How often it was told; `at` and `pid` are those of the last time. The log may have more: a flood is told in part. */
  readonly times: number;
}

/** A whole gateway at one moment. */
export interface GatewayStatus {
  readonly version: string;
  readonly pid: number;
  readonly startedAt: number;
  /** Whether it takes requests: `false` while it starts and from the first signal to stop. */
  readonly isReady: boolean;
  readonly addresses: readonly string[];
  readonly workers: readonly WorkerStatus[];
  readonly backends: readonly BackendStatus[];
  /** The apps, as one of the workers has them. */
  readonly description: Description | null;
  readonly status: Status | null;
  /** Limits of concurrency: what runs and what waits, in all processes together. */
  readonly limits: readonly LimitStatus[];
  /** Mounts that get no requests. */
  readonly drained: readonly string[];
  /** The latest first. */
  readonly errors: readonly RecentError[];
}

/** The handles of a running gateway. */
export interface GatewayControl {
  readonly isReady: () => boolean;
  status(): Promise<GatewayStatus>;
  /** Metrics of all processes, Prometheus text. */
  metrics(): Promise<string>;
  /** @throws GatewayError saying why nothing has changed */
  reload(): Promise<void>;
  /** @throws GatewayError `GW_CONTROL` where there are no workers */
  resize(workers: number): Promise<void>;
  setLogLevel(level: LogLevel): Promise<void>;
  /** Opens log files anew, in all processes. @throws GatewayError `GW_LOG_FILE` naming those that cannot be opened */
  reopenLogs(): Promise<void>;
  /** Requests to this mount are answered 503, or served again. @throws GatewayError `GW_CONTROL` if there is no such mount */
  drain(mount: string, isDrained: boolean): Promise<void>;
  /** Begins to stop. */
  stop(): void;
}

/** What holds for this process, whatever it serves. */
export function gatewayFacts(startedAt: number): Pick<GatewayStatus, "version" | "pid" | "startedAt"> {
  return { version: `${__GW_VERSION__} on Node ${process.versions.node}`, pid: process.pid, startedAt };
}

/** A backend as plain data. */
export function backendStatus({ name, state, lastError, processes }: Backend): BackendStatus {
  return { name, state, error: lastError, processes };
}
