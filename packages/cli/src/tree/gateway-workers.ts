// The gateway's own worker processes: kept by the supervisor, watched by their signs of life.
import { type AppContext, type Backend, type BackendSpec, GatewayError, type Logger } from "@gw/core";
import { type AttachedProcess, superviseBackend } from "@gw/core/node";
import type { LoggedError } from "../admin/control.ts";
import { whyFailed } from "../serving/settled-status.ts";
import type { PrimaryCalls, WorkerCalls, WorkerFacts } from "./calls.ts";
import type { LentPermits, PermitUser } from "./lent-permits.ts";
import { type Answers, Peer } from "./peer.ts";
import type { Loan } from "./permit-lender.ts";
import type { BackendUser, SharedBackends } from "./shared-backends.ts";
import type { WorkerMetrics } from "./worker-metrics.ts";
import { WORKER_MARK } from "./worker-place.ts";

/** Inputs of GatewayWorkers. */
export interface GatewayWorkersOptions {
  /** Program and arguments that start a worker. */
  readonly command: BackendSpec["command"];
  readonly env: Readonly<Record<string, string>>;
  readonly count: number;
  /** Listening descriptors that each worker gets. */
  readonly descriptors: readonly number[];
  /** From TERM to KILL, milliseconds. */
  readonly stopTimeoutMs: number;
  /** A worker that gives no sign of life for this long is killed and replaced, milliseconds (R-O4). 0: never */
  readonly hangTimeoutMs: number;
  /** A worker is replaced after this many exchanges, spread by a tenth. 0: never */
  readonly maxRequests: number;
  /** A worker is replaced when its resident memory is above this, bytes. 0: never */
  readonly maxRssBytes: number;
  readonly context: Pick<AppContext, "log" | "metrics" | "counters">;
  readonly backends: SharedBackends;
  readonly metrics: Pick<WorkerMetrics, "joined" | "said" | "left">;
  readonly permits: LentPermits;
  /** Takes what a worker has logged as warning or worse. */
  readonly logged: (error: LoggedError) => void;
  /** Tells a worker that serves from now on what is special: mounts out of service, a log level. */
  readonly greet: (worker: GatewayWorker) => Promise<unknown>;
}

/** A worker as the primary sees it. */
export interface GatewayWorker {
  readonly pid: number;
  readonly generation: number;
  /** Its last sign of life; `null` before the first. */
  readonly facts: WorkerFacts | null;
  readonly peer: Peer<PrimaryCalls, WorkerCalls>;
}

const LOOK_MS = 250;

/** Keeps the workers of a gateway. */
export class GatewayWorkers {
  readonly #options: GatewayWorkersOptions;
  readonly #log: Logger;
  readonly #backend: Backend;
  readonly #workers = new Map<number, WorkerRecord>();
  readonly #clock: NodeJS.Timeout;
  #generation = 1;
  #failure: GatewayError | null = null;

  constructor(options: GatewayWorkersOptions) {
    this.#options = options;
    this.#count = options.count;
    this.#log = options.context.log;
    this.#backend = superviseBackend(
      {
        name: "gateway",
        command: options.command,
        env: { ...options.env, [WORKER_MARK]: String(options.descriptors.length) },
        processes: options.count,
        socket: "none",
        ready: "spawn",
        startTimeoutMs: START_TIMEOUT_MS,
        stopTimeoutMs: options.stopTimeoutMs,
      },
      {
        log: options.context.log,
        metrics: options.context.metrics,
        family: { pass: options.descriptors },
        attach: (process) => this.#attach(process),
      },
    );
    this.#clock = setInterval(() => this.#look(), LOOK_MS);
    this.#clock.unref();
  }

  /** The workers that serve, and those that finish their last exchanges. */
  list(): readonly GatewayWorker[] {
    return [...this.#workers.values()].filter(({ isReady }) => isReady);
  }

  /** Processes with their states, also those that are starting. */
  get processes(): Backend["processes"] {
    return this.#backend.processes;
  }

  get state(): Backend["state"] {
    return this.#backend.state;
  }

  get lastError(): string | null {
    return this.#backend.lastError;
  }

  /** How many there shall be. */
  get count(): number {
    return this.#count;
  }

  #count = 0;

  /**
   * Settles when every worker serves, or when one does and another failed: it is tried again.
   *
   * @throws GatewayError what the first worker said, if it fails before any serves
   */
  async ready(): Promise<void> {
    try {
      await this.#backend.ready;
    } catch (error) {
      throw this.#failure ?? error;
    }
    await new Promise<void>((done) => {
      const look = (): void => {
        if (this.#backend.state === "starting" || (this.#backend.state === "degraded" && this.#isStarting())) return;
        forget();
        done();
      };
      const forget = this.#backend.onChange(look);
      look();
    });
  }

  /**
   * New workers with backends of their own, each ready before an old one drains (R-O2).
   *
   * @throws GatewayError what a new worker said; the old ones stay
   */
  async reload(): Promise<void> {
    this.#generation++;
    this.#failure = null;
    try {
      await this.#backend.roll();
    } catch (error) {
      throw this.#failure ?? error;
    }
  }

  /** Changes the number of workers. */
  async resize(count: number): Promise<void> {
    this.#count = count;
    await this.#backend.resize(count);
  }

  /** Drains all; settles when they are gone. */
  async stop(): Promise<void> {
    clearInterval(this.#clock);
    await this.#backend.stop();
  }

  /** What runs is cut: TERM a second time. */
  cut(): void {
    for (const { pid } of this.#backend.processes) signal(pid, "SIGTERM");
  }

  #isStarting(): boolean {
    return this.#backend.processes.some(({ state }) => state === "starting") && this.#backend.lastError === null;
  }

  async #attach(process: AttachedProcess): Promise<void> {
    const record = new WorkerRecord(process.pid, this.#generation);
    const { backends, metrics, permits } = this.#options;
    metrics.joined(process.pid);
    const serving = new Promise<void>((done, fail) => {
      record.peer = new Peer<PrimaryCalls, WorkerCalls>(process.control, {
        ...this.#answers(record),
        ready: () => done(),
        failed: ({ message, exitCode }) => {
          this.#failure = new GatewayError(exitCode === 2 ? "GW_USAGE" : "GW_START", 500, message);
          fail(this.#failure);
        },
      });
    });
    this.#workers.set(process.pid, record);
    void process.exited.then(() => {
      this.#workers.delete(process.pid);
      backends.leave(record);
      // Its last words may still be on their way.
      void record.peer.closed.then(() => metrics.left(process.pid));
      permits.leave(record);
    });
    await serving;
    await this.#options.greet(record);
    await this.#refuseWorse(record);
    record.lastBeatAt = performance.now();
    record.isReady = true;
  }

  /** A backend that failed is a mount that answers 503, but never in the place of one that served (R-O2). */
  async #refuseWorse(record: WorkerRecord): Promise<void> {
    const old = this.list().find(({ generation }) => generation < record.generation);
    if (old === undefined) return;
    const [before, after] = await Promise.all([
      old.peer.call("report", null).catch(() => null), // it may end at this moment
      record.peer.call("settledReport", null),
    ]);
    if (after.status?.state !== "failed" || before?.status?.state === "failed") return;
    this.#failure = new GatewayError("GW_START", 500, `the new version does not get ready: ${whyFailed(after.status)}`);
    throw this.#failure;
  }

  #answers(record: WorkerRecord): Omit<Answers<PrimaryCalls>, "ready" | "failed"> {
    const { backends, context, metrics, permits } = this.#options;
    return {
      beat: (facts) => this.#heard(record, facts),
      logged: (error) => this.#options.logged(error),
      lastMetrics: ({ text }) => metrics.said(record.pid, text),
      startBackend: ({ spec }) => backends.start(record, spec),
      rollBackend: ({ name }) => backends.roll(record, name),
      recycleBackend: ({ name, ...process }) => backends.recycle(record, name, process),
      resizeBackend: ({ name, processes }) => backends.resize(record, name, processes),
      stopBackend: ({ name }) => backends.stop(record, name),
      hit: async ({ key, windowMs, by }) => context.counters.hit(key, { windowMs, by }),
      joinPermits: ({ name, limit }) => permits.join(record, name, { limit, workers: this.#count }),
      permits: ({ name, ...report }) => permits.hear(record, name, report),
    };
  }

  #heard(record: WorkerRecord, facts: WorkerFacts): void {
    record.facts = facts;
    record.lastBeatAt = performance.now();
    const { maxRequests, maxRssBytes } = this.#options;
    // Spread, so that workers that started together do not end together.
    const most = maxRequests + ((record.pid % 11) * maxRequests) / 100;
    if (maxRequests > 0 && facts.requests >= most) this.#retire(record, `it has served ${facts.requests} requests`);
    else if (maxRssBytes > 0 && facts.rssBytes > maxRssBytes)
      this.#retire(record, `it uses ${Math.round(facts.rssBytes / 1_000_000)} MB of memory`);
  }

  #retire(record: WorkerRecord, why: string): void {
    if (record.isRetiring) return;
    record.isRetiring = true;
    this.#log.info({ worker: record.pid }, `a worker is replaced: ${why}`);
    this.#backend.recycle(record.pid).catch((error: unknown) => {
      record.isRetiring = false;
      this.#log.error({ err: error, worker: record.pid }, "a worker could not be replaced");
    });
  }

  #look(): void {
    const { hangTimeoutMs } = this.#options;
    if (hangTimeoutMs === 0) return;
    for (const record of this.#workers.values()) {
      if (!record.isReady || performance.now() - record.lastBeatAt < hangTimeoutMs) continue;
      this.#log.error({ worker: record.pid, hangTimeoutMs }, "a worker hangs: it is killed and replaced");
      record.lastBeatAt = Number.POSITIVE_INFINITY;
      signal(record.pid, "SIGKILL");
    }
  }
}

/** Time for a worker to load and start its apps. */
const START_TIMEOUT_MS = 120_000;

class WorkerRecord implements GatewayWorker, BackendUser, PermitUser {
  readonly pid: number;
  readonly generation: number;
  peer!: Peer<PrimaryCalls, WorkerCalls>;
  facts: WorkerFacts | null = null;
  lastBeatAt = 0;
  isReady = false;
  isRetiring = false;

  constructor(pid: number, generation: number) {
    this.pid = pid;
    this.generation = generation;
  }

  backendChanged(name: string, facts: Parameters<BackendUser["backendChanged"]>[1]): void {
    this.peer.tell("backendChanged", { name, facts });
  }

  backendReady(name: string, error: string | null): void {
    this.peer.tell("backendReady", { name, error });
  }

  lent(name: string, loan: Loan): void {
    this.peer.tell("permits", { name, ...loan });
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has just ended.
  }
}
