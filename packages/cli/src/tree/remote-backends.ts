// The backends of a worker: its primary runs them, once for all workers.
import { type Backend, type Backends, GatewayError } from "@gw/core";
import type { BackendFacts, PrimaryCalls, WorkerCalls } from "./calls.ts";
import type { Peer } from "./peer.ts";

/** The primary as this file needs it. */
export type PrimaryLink = Pick<Peer<WorkerCalls, PrimaryCalls>, "call">;

/** Backends that live in the primary. */
export class RemoteBackends implements Backends {
  readonly #primary: PrimaryLink;
  readonly #running = new Map<string, RemoteBackend>();

  constructor(primary: PrimaryLink) {
    this.#primary = primary;
  }

  async start(spec: Parameters<Backends["start"]>[0]): Promise<Backend> {
    const { name } = spec;
    if (this.#running.has(name)) {
      throw new GatewayError("GW_BACKEND_NAME", 500, `a backend named ${JSON.stringify(name)} runs already`);
    }
    // In place before the call returns: what the primary tells meanwhile must not be lost.
    const backend = new RemoteBackend(name, this.#primary, () => this.#running.delete(name));
    this.#running.set(name, backend);
    try {
      backend.begin(await this.#primary.call("startBackend", { spec }));
      return backend;
    } catch (error) {
      this.#running.delete(name);
      throw error;
    }
  }

  /** The primary tells that a backend has changed. */
  changed(name: string, facts: BackendFacts): void {
    this.#running.get(name)?.change(facts);
  }

  /** The primary tells how the first start has gone. */
  firstReady(name: string, error: string | null): void {
    this.#running.get(name)?.settle(error);
  }
}

const NOTHING_YET: BackendFacts = { state: "starting", addresses: [], processes: [], lastError: null };

class RemoteBackend implements Backend {
  readonly name: string;
  readonly ready: Promise<void>;
  readonly #primary: PrimaryLink;
  readonly #forget: () => void;
  readonly #listeners = new Set<() => void>();
  #facts = NOTHING_YET;
  #settle!: (error: string | null) => void;

  constructor(name: string, primary: PrimaryLink, forget: () => void) {
    this.name = name;
    this.#primary = primary;
    this.#forget = forget;
    this.ready = new Promise((done, fail) => {
      this.#settle = (error) => (error === null ? done() : fail(new GatewayError("GW_BACKEND_FAILED", 503, error)));
    });
    this.ready.catch(() => {}); // lastError says it too
  }

  get state(): BackendFacts["state"] {
    return this.#facts.state;
  }

  get addresses(): readonly string[] {
    return this.#facts.addresses;
  }

  get processes(): BackendFacts["processes"] {
    return this.#facts.processes;
  }

  get lastError(): string | null {
    return this.#facts.lastError;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  roll(): Promise<void> {
    return this.#primary.call("rollBackend", { name: this.name });
  }

  recycle(pid: number, { drain = true }: { readonly drain?: boolean } = {}): Promise<void> {
    return this.#primary.call("recycleBackend", { name: this.name, pid, drain });
  }

  resize(processes: number): Promise<void> {
    return this.#primary.call("resizeBackend", { name: this.name, processes });
  }

  async stop(): Promise<void> {
    this.change({ ...NOTHING_YET, state: "stopped" });
    this.#settle(`backend ${this.name} was stopped`);
    this.#forget();
    await this.#primary.call("stopBackend", { name: this.name });
  }

  /** What was so when it was started; what was told since is newer. */
  begin(facts: BackendFacts): void {
    if (this.#facts === NOTHING_YET) this.change(facts);
  }

  change(facts: BackendFacts): void {
    if (this.#facts.state === "stopped") return;
    this.#facts = facts;
    for (const listener of [...this.#listeners]) listener();
  }

  settle(error: string | null): void {
    this.#settle(error);
  }
}
