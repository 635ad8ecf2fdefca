// The processes of a pool and the client that asks them: how many there are, and which are replaced when.
import {
  type Address,
  type Answer,
  type AppContext,
  type Backend,
  type HttpRequest,
  isGatewayError,
  type Logger,
  type MaybePromise,
  type Status,
  silentLogger,
} from "@gw/core";
import { takesConnection } from "@gw/core/node";
import { FastcgiClient } from "../client/client.ts";
import { FastcgiError } from "../client/errors.ts";
import { byteVariables } from "../client/fastcgi.ts";
import type { FastcgiClientOptions } from "../client/options.ts";
import type { ClientWatcher, ExchangeEnd } from "../client/watcher.ts";
import { Demand, type DemandOptions } from "./demand.ts";
import { PoolMember } from "./member.ts";
import type { FastcgiPoolOptions } from "./options.ts";
import { poolBounds, poolSpec } from "./pool-spec.ts";

const LONGEST_SWEEP_MS = 1_000;

/** A pool that runs, or is about to. */
export class ProcessPool implements ClientWatcher {
  readonly name: string;
  readonly #options: FastcgiPoolOptions;
  readonly #bounds: DemandOptions;
  readonly #own: Readonly<Record<string, string>>;
  #demand: Demand;
  readonly #stopped: AbortController = new AbortController();
  #client: FastcgiClient;
  readonly #dead: Set<string> = new Set();
  #members: ReadonlyMap<string, PoolMember> = new Map();
  #backend: Backend | null = null;
  #place = "";
  #log: Logger = silentLogger;
  #sweep: NodeJS.Timeout | undefined;
  #failedSinceMs: number | null = null;

  /** @throws FastcgiError `GW_FCGI_OPTION` */
  constructor(options: FastcgiPoolOptions) {
    this.name = [options.command, ...(options.args ?? [])].join(" ");
    this.#options = options;
    this.#bounds = poolBounds(options);
    this.#own = byteVariables(options.variables ?? {});
    this.#demand = new Demand(this.#bounds);
    this.#client = this.#newClient(true);
    if (options.command === "") throw new FastcgiError("GW_FCGI_OPTION", 'fastcgiPool() needs a "command"');
  }

  /** Starts the processes that are always there; a program that fails is tried again, and is no failure of ours. */
  async start({ backends, log, hasSiblings = false, runsOnce = false }: AppContext): Promise<void> {
    this.#log = log.child({ pool: this.name });
    if (hasSiblings) {
      // A connection that another gateway process keeps would pin a process that takes one at a time.
      this.#client = this.#newClient(false);
      // What each of us needs is added up where the processes are kept; the least number is counted there, once.
      this.#demand = new Demand({ ...this.#bounds, min: 0 });
    }
    const processes = runsOnce ? Math.min(1, this.#bounds.min) : this.#bounds.min;
    this.#place = freePlace(this.name);
    const backend = await backends.start(poolSpec(this.#place, this.#options, processes));
    this.#backend = backend;
    backend.onChange(() => this.#follow(backend));
    this.#follow(backend);
    const { idleTimeoutMs } = this.#bounds;
    this.#sweep = setInterval(() => this.#settle(), Math.max(10, Math.min(LONGEST_SWEEP_MS, idleTimeoutMs / 4)));
    this.#sweep.unref();
  }

  /** @throws FastcgiError `GW_FCGI_DOWN`; whatever a client throws */
  answer(request: HttpRequest): Promise<Answer> {
    this.#refuseIfDown();
    return this.#client.answer(request, { own: this.#own });
  }

  /** Lets running requests finish until the deadline; settles when every process has ended. */
  async stop(deadline: AbortSignal): Promise<void> {
    clearInterval(this.#sweep);
    this.#client.stop(deadline);
    this.#stopped.abort();
    await this.#backend?.stop();
    taken.delete(this.#place);
  }

  /** Replaces every process; no request is dropped. @throws GatewayError `GW_BACKEND_FAILED`; the old ones stay */
  async roll(): Promise<void> {
    await this.#backend?.roll();
  }

  /** Its processes and how busy they are. */
  status(): Status {
    const { running, queued } = this.#client.demand;
    const backend = this.#backend;
    return {
      name: this.name,
      state: backend?.state ?? "starting",
      error: backend?.lastError ?? null,
      facts: { running, queued, processes: backend?.processes.length ?? 0, wanted: this.#demand.wanted },
      children: (backend?.processes ?? []).map(({ pid, state, address }) => ({
        name: `process ${pid}`,
        state: state === "stopping" ? "stopped" : state,
        error: null,
        facts: { served: this.#members.get(address ?? "")?.served ?? 0 },
      })),
    };
  }

  asked(): void {
    this.#note();
  }

  /** A socket lives as long as its process: who refuses a connection is dead, though we may not have been told. */
  unreachable(address: Address): boolean {
    const path = pathOf(address);
    if (!this.#members.has(path) || this.#dead.has(path)) return false;
    this.#dead.add(path);
    if (this.#backend !== null) this.#follow(this.#backend);
    return true;
  }

  ended({ address, isClean, error }: ExchangeEnd): MaybePromise<void> {
    this.#note();
    const member = this.#members.get(pathOf(address));
    if (member === undefined) return;
    member.served++;
    if (isGatewayError(error, "GW_FCGI_TIMEOUT")) this.#replace(member, "it did not answer in time", { drain: false });
    else this.#replaceIfDue(member);
    if (!isClean && this.#bounds.requestsPerProcess === 1) return this.#untilFree(member, pathOf(address));
  }

  /** The requests go where processes are ready. */
  #follow(backend: Backend): void {
    const { addresses, processes, state } = backend;
    const before = this.#members;
    const members = new Map<string, PoolMember>();
    for (const { pid, address } of processes) {
      if (address === null) continue;
      const known = before.get(address);
      members.set(address, known?.pid === pid ? known : new PoolMember(pid, performance.now()));
    }
    this.#members = members;
    if (state !== "failed") this.#failedSinceMs = null;
    else this.#failedSinceMs ??= performance.now();
    for (const path of this.#dead) if (!members.has(path)) this.#dead.delete(path);
    this.#client.useAddresses(addresses.filter((path) => !this.#dead.has(path)).map((path) => ({ path })));
  }

  /**
   * A crash costs no request that can wait for the next process. A program that fails again and again is not worth the wait.
   */
  #refuseIfDown(): void {
    const { queueTimeoutMs = 5_000 } = this.#options;
    const isStopped = this.#backend === null || this.#stopped.signal.aborted;
    const failedMs = this.#failedSinceMs === null ? 0 : performance.now() - this.#failedSinceMs;
    if (!isStopped && failedMs <= queueTimeoutMs) return;
    const why = isStopped ? "it is not running" : this.#backend?.lastError;
    throw new FastcgiError("GW_FCGI_DOWN", `no process of ${this.name}: ${why}`, { headers: [["Retry-After", "5"]] });
  }

  #settle(): void {
    this.#note();
    for (const member of this.#members.values()) this.#replaceIfDue(member);
    if (this.#demand.settle(performance.now())) this.#resize();
  }

  #note(): void {
    const { running, queued } = this.#client.demand;
    if (this.#demand.note(running + queued, performance.now())) this.#resize();
  }

  #resize(): void {
    this.#backend?.resize(this.#demand.wanted).catch((error: unknown) => this.#failed(error));
  }

  #replaceIfDue(member: PoolMember): void {
    const why = member.surplus(this.#options, performance.now());
    if (why !== null) this.#replace(member, why);
  }

  #replace(member: PoolMember, why: string, options: { readonly drain?: boolean } = {}): void {
    member.hold(performance.now());
    this.#log.info({ pid: member.pid }, `a process is replaced: ${why}`);
    this.#backend?.recycle(member.pid, options).catch((error: unknown) => this.#failed(error));
  }

  #failed(error: unknown): void {
    this.#log.error({ err: error }, "a process of a pool was not replaced");
  }

  /** A program whose client has left may still work on the request; it takes the next connection when it is done. */
  async #untilFree(member: PoolMember, path: string): Promise<void> {
    const { busyTimeoutMs = 60_000 } = this.#options;
    const late = AbortSignal.any([AbortSignal.timeout(busyTimeoutMs), this.#stopped.signal]);
    const isFree = await takesConnection(path, late);
    if (!isFree && late.aborted && !this.#stopped.signal.aborted) {
      this.#replace(member, "it goes on with a request that nobody waits for", { drain: false });
    }
  }

  #newClient(mayKeep: boolean): FastcgiClient {
    const { requestsPerProcess } = this.#bounds;
    const { ioTimeoutMs = 60_000, maxIdleConnections = requestsPerProcess } = this.#options;
    const options: FastcgiClientOptions = {
      ...this.#options,
      idleTimeoutMs: ioTimeoutMs,
      maxConnections: requestsPerProcess,
      maxIdleConnections: mayKeep ? maxIdleConnections : 0,
      // Whether a process is there is known; that it was busy or closing for a moment is no reason to leave it out.
      pauseMs: [1, 1],
    };
    return new FastcgiClient([], options, this);
  }
}

/** Names of backends that run: at a reload the old and the new pool of one program live side by side. */
const taken: Set<string> = new Set();

function freePlace(program: string): string {
  let name = `fastcgi ${program}`;
  for (let count = 2; taken.has(name); count++) name = `fastcgi ${program} (${count})`;
  taken.add(name);
  return name;
}

function pathOf(address: Address): string {
  return "path" in address ? address.path : "";
}
