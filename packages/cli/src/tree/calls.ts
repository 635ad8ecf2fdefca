// What a primary and its workers ask of each other.
import type { BackendProcess, BackendSpec, BackendState, CounterReading, Description, Status } from "@gw/core";
import type { LogLevel } from "@gw/core/node";
import type { LoggedError } from "../admin/control.ts";
import type { Loan, Report } from "./permit-lender.ts";

/** What is known of a shared backend, as it goes over the wire. */
export interface BackendFacts {
  readonly state: BackendState;
  readonly addresses: readonly string[];
  readonly processes: readonly BackendProcess[];
  readonly lastError: string | null;
}

/** How a worker is doing. */
export interface WorkerFacts {
  /** Resident memory, bytes. */
  readonly rssBytes: number;
  /** Exchanges since its start. */
  readonly requests: number;
  /** Exchanges that have not ended. */
  readonly inFlight: number;
  /** Longest delay of its event loop since the last report, milliseconds. */
  readonly loopDelayMs: number;
}

/** The app of a worker, for `gw ctl` and the status page. */
export interface WorkerReport {
  readonly description: Description | null;
  readonly status: Status | null;
}

/** What a worker may ask of its primary. */
export type PrimaryCalls = {
  /** It serves. */
  readonly ready: (params: null) => void;
  /** It cannot serve. `exitCode` 2: what the operator wrote is wrong. */
  readonly failed: (params: { readonly message: string; readonly exitCode: 1 | 2 }) => void;
  /** A sign of life, about once a second. */
  readonly beat: (params: WorkerFacts) => void;
  /** It has logged a warning or an error. */
  readonly logged: (params: LoggedError) => void;
  /** Its metrics, before it ends. */
  readonly lastMetrics: (params: { readonly text: string }) => void;
  /** Starts a backend, or joins the one that other workers of its generation have. */
  readonly startBackend: (params: { readonly spec: BackendSpec }) => BackendFacts;
  readonly rollBackend: (params: { readonly name: string }) => void;
  readonly recycleBackend: (params: { readonly name: string; readonly pid: number; readonly drain: boolean }) => void;
  readonly resizeBackend: (params: { readonly name: string; readonly processes: number }) => void;
  readonly stopBackend: (params: { readonly name: string }) => void;
  /** Adds to a counter of the whole gateway. */
  readonly hit: (params: { readonly key: string; readonly windowMs: number; readonly by: number }) => CounterReading;
  /** Takes part in the permits of a name. */
  readonly joinPermits: (params: { readonly name: string; readonly limit: number }) => void;
  /** Gives permits back, and says how many it waits for. */
  readonly permits: (params: { readonly name: string } & Report) => void;
};

/** What a primary may ask of a worker. */
export type WorkerCalls = {
  /** A backend that the worker uses has changed. */
  readonly backendChanged: (params: { readonly name: string; readonly facts: BackendFacts }) => void;
  /** The first process of a backend is ready (`error: null`) or has failed. */
  readonly backendReady: (params: { readonly name: string; readonly error: string | null }) => void;
  /** Lends permits, and says which to give back. */
  readonly permits: (params: { readonly name: string } & Loan) => void;
  readonly metrics: (params: null) => { readonly text: string };
  readonly report: (params: null) => WorkerReport;
  /** The same, once none of its backends is starting any more. */
  readonly settledReport: (params: null) => WorkerReport;
  readonly setLogLevel: (params: { readonly level: LogLevel }) => void;
  /** Opens its log files anew. */
  readonly reopenLogs: (params: null) => void;
  /** Stops or resumes requests to a mount. `false`: there is no such mount. */
  readonly drainMount: (params: { readonly where: string; readonly isDrained: boolean }) => boolean;
};
