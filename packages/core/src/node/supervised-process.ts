// One process of a backend, from its start over ready to its end.
import type { Duplex } from "node:stream";
import type { BackendProcess } from "../model/backend.ts";
import type { Logger } from "../model/log.ts";
import type { MaybePromise } from "../model/maybe-promise.ts";
import { asBackendFailure, backendFailure, describeExit } from "./backend-failure.ts";
import type { ProcessSocket } from "./backend-sockets.ts";
import type { WholeSpec } from "./backend-spec.ts";
import { type Child, type ChildExit, type ChildOptions, spawnChild } from "./child.ts";
import type { Clock } from "./clock.ts";
import { untilReady } from "./readiness.ts";
import { untilUnused } from "./unix-connections.ts";

/** A process as its owner in this process sees it: with the socket that is its descriptor 3. */
export interface AttachedProcess {
  readonly pid: number;
  /** Path of its unix socket; `null` if it has none. */
  readonly address: string | null;
  /** Our end of its descriptor 3; yours to read and write. */
  readonly control: Duplex;
  /** Settles when it has ended. */
  readonly exited: Promise<ChildExit>;
  /** Sends a signal to its group; does nothing when it has ended. */
  signal(name: NodeJS.Signals): void;
}

/** Hooks for protocols of one's own on descriptor 3 (Python workers, the CGI broker). */
export interface ProcessHooks {
  /** Takes a new process; it counts as ready when this settles, as failed when it rejects. Replaces `ready` of the spec. */
  attach?: (process: AttachedProcess) => MaybePromise<void>;
  /** Lets a process finish before it gets TERM; cut off after the stop time. */
  detach?: (process: AttachedProcess) => MaybePromise<void>;
  /** Starts something that lives like a process without being one (a thread). @default a process */
  spawn?: (options: ChildOptions) => Promise<Child>;
  /** For processes that are ours: they write to our own output, and get descriptors of ours as 4, 5 and so on. @default neither */
  family?: { readonly pass: readonly number[] };
}

/** Inputs of SupervisedProcess. */
export interface ProcessOptions {
  spec: WholeSpec;
  hooks: ProcessHooks;
  socket: ProcessSocket;
  log: Logger;
  clock: Clock;
  /** Told when its state has changed. */
  changed: () => void;
}

/** How a process is stopped. */
export interface StopOptions {
  /** Whether those who are connected may stay for the drain time. @default false */
  drain?: boolean;
}

/** Starts a process. @throws GatewayError `GW_SPAWN`, `GW_SPAWN_BUSY` */
export async function startProcess(options: ProcessOptions): Promise<SupervisedProcess> {
  const { socket } = options;
  try {
    const child = await (options.hooks.spawn ?? spawnChild)(childOptions(options));
    return new SupervisedProcess(child, options);
  } catch (error) {
    socket.release();
    throw error;
  } finally {
    socket.passed();
  }
}

function childOptions({ spec, hooks, socket, log }: ProcessOptions): ChildOptions {
  return {
    command: spec.command,
    env: { ...spec.env, ...socket.env },
    stdin: socket.fd ?? "none",
    control: hooks.attach !== undefined || spec.ready === "line",
    stopTimeoutMs: spec.stopTimeoutMs,
    guarded: true,
    log,
    ...(hooks.family !== undefined && { stdout: "inherit", stderr: "inherit", pass: hooks.family.pass }),
    ...(spec.stopSignal !== undefined && { stopSignal: spec.stopSignal }),
    ...(spec.cwd !== undefined && { cwd: spec.cwd }),
    ...(spec.uid !== undefined && { uid: spec.uid }),
    ...(spec.gid !== undefined && { gid: spec.gid }),
  };
}

/** One process. Its plain facts are those of the model. */
export class SupervisedProcess implements BackendProcess {
  readonly pid: number;
  readonly address: string | null;
  readonly startedAt: number = Date.now();
  /** Settles when it is ready; rejects with `GW_BACKEND_FAILED` when it ends, fails or is stopped before. */
  readonly ready: Promise<void>;
  /** Settles when it has ended. */
  readonly exited: Promise<ChildExit>;
  readonly #child: Child;
  readonly #options: ProcessOptions;
  readonly #settled = new AbortController();
  readonly #hurry = new AbortController();
  #state: BackendProcess["state"] = "starting";
  readonly #begunAt: number;
  #readyAt: number | null = null;
  #stopping: Promise<void> | null = null;

  constructor(child: Child, options: ProcessOptions) {
    this.pid = child.pid;
    this.address = options.socket.address;
    this.#child = child;
    this.#options = options;
    this.#begunAt = options.clock.now();
    this.exited = child.exited;
    this.ready = this.#becomeReady();
    this.ready.catch(() => {}); // whoever waits for it is told
  }

  get state(): BackendProcess["state"] {
    return this.#state;
  }

  /** How long it took to be ready, milliseconds; 0 if it never was. */
  get startMs(): number {
    return this.#readyAt === null ? 0 : this.#readyAt - this.#begunAt;
  }

  /** How long it has been ready, milliseconds; 0 if it never was. */
  get readyMs(): number {
    return this.#readyAt === null ? 0 : this.#options.clock.now() - this.#readyAt;
  }

  /** TERM, wait, KILL; settles when its whole group is gone. A second call can end the draining of the first. */
  stop({ drain = false }: StopOptions = {}): Promise<void> {
    if (!drain) this.#hurry.abort();
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #becomeReady(): Promise<void> {
    const { spec, clock } = this.#options;
    try {
      await Promise.race([this.#judge(), this.#endedEarly(), this.#tooLate(spec.startTimeoutMs, clock)]);
    } catch (error) {
      throw asBackendFailure(error);
    } finally {
      this.#settled.abort();
    }
    if (this.#state !== "starting") throw backendFailure("it was stopped before it was ready");
    this.#readyAt = clock.now();
    this.#become("ready");
  }

  async #judge(): Promise<void> {
    const { spec, hooks, clock } = this.#options;
    if (hooks.attach !== undefined) return hooks.attach(this.#attached());
    const { control } = this.#child;
    await untilReady({ when: spec.ready, address: this.address, control, clock, signal: this.#settled.signal });
  }

  async #endedEarly(): Promise<never> {
    throw backendFailure(describeExit(await this.exited, " before it was ready"));
  }

  async #tooLate(startTimeoutMs: number, clock: Clock): Promise<void> {
    await clock.pause(startTimeoutMs, this.#settled.signal);
    if (!this.#settled.signal.aborted) throw backendFailure(`not ready after ${startTimeoutMs} ms`);
  }

  async #stop(): Promise<void> {
    const { hooks, spec, clock, socket } = this.#options;
    const wasReady = this.#state === "ready";
    this.#become("stopping");
    this.#settled.abort();
    if (wasReady && hooks.detach !== undefined) await this.#detach(hooks.detach, spec.stopTimeoutMs, clock);
    if (wasReady) await this.#drain(socket.boundAs);
    await this.#child.stop();
    socket.release();
  }

  async #detach(detach: NonNullable<ProcessHooks["detach"]>, patienceMs: number, clock: Clock): Promise<void> {
    const done = new AbortController();
    const detached = (async () => detach(this.#attached()))().catch((error: unknown) =>
      this.#options.log.warn({ err: error, pid: this.pid }, "a process could not be drained"),
    );
    await Promise.race([detached, this.exited, clock.pause(patienceMs, done.signal)]);
    done.abort();
  }

  /** Who is connected may finish. */
  async #drain(boundAs: string | null): Promise<void> {
    const { drainTimeoutMs: limitMs } = this.#options.spec;
    const { signal } = this.#hurry;
    if (boundAs === null || limitMs === 0 || signal.aborted) return;
    void this.exited.then(() => this.#hurry.abort());
    await untilUnused(boundAs, { limitMs, clock: this.#options.clock, signal });
  }

  #attached(): AttachedProcess {
    const { pid, address, exited } = this;
    const signal = (name: NodeJS.Signals): void => this.#child.signal(name);
    return { pid, address, exited, control: this.#child.control as Duplex, signal };
  }

  #become(state: BackendProcess["state"]): void {
    this.#state = state;
    this.#options.changed();
  }
}
