// Keeps the processes of a backend running (R-O3): one supervisor for PHP, FastCGI pools, Python and the CGI broker.
import type { Backend, BackendProcess, BackendSpec, BackendState } from "../model/backend.ts";
import type { AppContext } from "../model/context.ts";
import type { GatewayError } from "../model/errors.ts";
import type { Logger } from "../model/log.ts";
import { BackOff, StartCredit } from "./back-off.ts";
import { backendFailure } from "./backend-failure.ts";
import { BackendFiles } from "./backend-files.ts";
import { type BackendMeters, backendMeters } from "./backend-meters.ts";
import { type BackendSockets, backendSockets } from "./backend-sockets.ts";
import { checkProcesses, checkSpec, type WholeSpec } from "./backend-spec.ts";
import { type Clock, systemClock } from "./clock.ts";
import { Slot } from "./slot.ts";
import { type ProcessHooks, type SupervisedProcess, startProcess } from "./supervised-process.ts";

/** What a supervised backend needs of its gateway. */
export interface SuperviseOptions extends ProcessHooks {
  log: Logger;
  /** Gets `gw_backend_processes` and its kin. @default none */
  metrics?: AppContext["metrics"];
  /** @default the machine's */
  clock?: Clock;
}

/**
 * Starts a backend's processes and keeps them running until `stop()`.
 *
 * Returns at once; `ready` tells when the first process is. docs/supervisor.md
 * has the states and the rules.
 *
 * @throws GatewayError `GW_BACKEND_SPEC`
 */
export function superviseBackend(spec: BackendSpec, options: SuperviseOptions): Backend {
  return new Supervisor(checkSpec(spec), options);
}

class Supervisor implements Backend {
  readonly name: string;
  readonly ready: Promise<void>;
  readonly #spec: WholeSpec;
  readonly #hooks: ProcessHooks;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #sockets: BackendSockets;
  readonly #files: BackendFiles;
  readonly #slots: Slot[] = [];
  readonly #credit = new StartCredit();
  readonly #listeners = new Set<() => void>();
  readonly #meters: BackendMeters;
  readonly #firstReady: { readonly done: () => void; readonly fail: (error: GatewayError) => void };
  #lastError: string | null = null;
  #stopping: Promise<void> | null = null;
  #rolling: Promise<void> = Promise.resolve();

  constructor(spec: WholeSpec, { log, metrics, clock = systemClock, ...hooks }: SuperviseOptions) {
    this.name = spec.name;
    this.#spec = spec;
    this.#hooks = hooks;
    this.#log = log.child({ backend: spec.name });
    this.#clock = clock;
    this.#sockets = backendSockets(spec, this.#log);
    this.#files = new BackendFiles(spec);
    this.#meters = backendMeters(metrics, spec.name);
    let done!: () => void;
    let fail!: (error: GatewayError) => void;
    this.ready = new Promise((resolve, reject) => {
      done = resolve;
      fail = reject;
    });
    this.ready.catch(() => {}); // lastError says it too
    this.#firstReady = { done, fail };
    for (let count = 0; count < spec.processes; count++) this.#slots.push(this.#newSlot());
    this.#changed();
  }

  get state(): BackendState {
    if (this.#stopping !== null) return "stopped";
    const ready = this.#serving().length;
    if (ready === this.#slots.length) return "ready"; // also when none is asked for
    if (ready > 0) return "degraded";
    return this.#slots.some(({ hasFailed }) => hasFailed) ? "failed" : "starting";
  }

  get lastError(): string | null {
    return this.#lastError;
  }

  get addresses(): readonly string[] {
    if (this.#stopping !== null) return [];
    const addresses = this.#serving().flatMap(({ address }) => (address === null ? [] : [address]));
    return [...new Set(addresses)];
  }

  get processes(): readonly BackendProcess[] {
    return this.#slots
      .flatMap(({ processes }) => processes)
      .map(({ pid, state, address, startedAt }) => ({ pid, state, address, startedAt }))
      .sort((one, other) => one.startedAt - other.startedAt);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  roll(): Promise<void> {
    // One roll after the other: each must see what was changed before it was asked for.
    this.#rolling = this.#rolling.catch(() => {}).then(() => this.#roll());
    return this.#rolling;
  }

  async recycle(pid: number, options?: { readonly drain?: boolean }): Promise<void> {
    await this.#slots.find(({ current }) => current?.pid === pid)?.replace(options);
  }

  async resize(processes: number): Promise<void> {
    checkProcesses(this.#spec, processes);
    if (this.#stopping !== null) return;
    while (this.#slots.length < processes) this.#slots.push(this.#newSlot());
    // Those that do not serve go first.
    const order = [...this.#slots].sort((one, other) => Number(other.current !== null) - Number(one.current !== null));
    const surplus = order.slice(processes);
    this.#slots.splice(0, this.#slots.length, ...order.slice(0, processes));
    this.#changed();
    await Promise.all(surplus.map((slot) => slot.stop({ drain: true })));
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #roll(): Promise<void> {
    for (const slot of [...this.#slots]) {
      if (this.#stopping !== null) return;
      try {
        await slot.replace();
      } catch (error) {
        this.#lastError = (error as GatewayError).message;
        this.#log.error(causeOf(error as GatewayError), `the old processes stay: a new one failed: ${this.#lastError}`);
        this.#changed();
        throw error;
      }
    }
  }

  async #stop(): Promise<void> {
    this.#firstReady.fail(backendFailure(`backend ${this.name} was stopped`));
    this.#changed();
    await Promise.all(this.#slots.map((slot) => slot.stop()));
    this.#sockets.close();
    this.#files.close();
    this.#changed();
  }

  #newSlot(): Slot {
    const { backOffMs } = this.#spec;
    return new Slot({
      clock: this.#clock,
      backOff: new BackOff({
        firstMs: backOffMs[0],
        longestMs: backOffMs[1],
        random: () => this.#clock.random(),
        credit: this.#credit,
      }),
      start: async () =>
        startProcess({
          spec: { ...this.#spec, command: await this.#files.command() },
          hooks: this.#hooks,
          socket: await this.#sockets.next(),
          log: this.#log,
          clock: this.#clock,
          changed: () => this.#changed(),
        }),
      failed: (error, pauseMs) => this.#failed(error, pauseMs),
      endedItself: ({ pid }) => {
        this.#meters.restarted();
        this.#log.info({ pid }, "a process has ended itself: the next one starts");
      },
      ready: (process) => this.#becameReady(process),
      changed: () => this.#changed(),
    });
  }

  #becameReady({ pid, startMs }: SupervisedProcess): void {
    this.#meters.started(startMs);
    this.#log.info({ pid }, "a process is ready");
    // What kept the others from getting ready may be over. Those that did get ready and fell have learnt nothing from
    // it: woken, a program that always ends at once would have its own siblings start it for ever.
    for (const slot of this.#slots) if (!slot.hasFallen) slot.wake();
    if (this.state === "ready") this.#lastError = null;
    this.#firstReady.done();
    this.#changed();
  }

  #failed(error: GatewayError, pauseMs: number): void {
    this.#lastError = error.message;
    this.#meters.restarted();
    this.#log.error({ ...causeOf(error), retryInMs: Math.round(pauseMs) }, `a process failed: ${error.message}`);
    this.#firstReady.fail(backendFailure(`backend ${this.name}: ${error.message}`, error));
    this.#changed();
  }

  #serving(): { readonly address: string | null }[] {
    return this.#slots.flatMap(({ current }) => (current === null ? [] : [current]));
  }

  #changed(): void {
    const { state } = this;
    if (state === "stopped") this.#meters.report({ state, ready: 0, wanted: 0 });
    else this.#meters.report({ state, ready: this.#serving().length, wanted: this.#slots.length });
    for (const listener of [...this.#listeners]) {
      try {
        listener();
      } catch (error) {
        this.#log.error({ err: error }, "a listener of a backend failed");
      }
    }
  }
}

/** The error behind a failure, where there is one; what the process did itself is in the message. */
function causeOf({ cause }: GatewayError): { err?: unknown } {
  return cause === undefined ? {} : { err: cause };
}
