// The backends of all workers: started once, used by many, ended when nobody is left who uses them.
import { isDeepStrictEqual } from "node:util";
import { type Backend, type BackendSpec, GatewayError } from "@gw/core";
import type { BackendFacts } from "./calls.ts";

/** A worker as the user of a backend. */
export interface BackendUser {
  /** Workers of one generation share; those of the next, after a reload, get backends of their own. */
  readonly generation: number;
  backendChanged(name: string, facts: BackendFacts): void;
  backendReady(name: string, error: string | null): void;
}

/** Inputs of SharedBackends. */
export interface SharedBackendsOptions {
  /** Starts a backend in this process. @throws GatewayError `GW_BACKEND_SPEC` */
  start(spec: BackendSpec): Backend;
}

interface Shared {
  readonly spec: BackendSpec;
  readonly backend: Backend;
  /** Its users, each with the number of processes that it needs. */
  readonly users: Map<BackendUser, number>;
}

/** The backends that a primary runs for its workers. */
export class SharedBackends {
  readonly #options: SharedBackendsOptions;
  readonly #shared = new Map<string, Shared>();
  readonly #ending = new Set<Promise<void>>();

  constructor(options: SharedBackendsOptions) {
    this.#options = options;
  }

  /** Every backend that runs, the newest generation last. */
  list(): readonly Backend[] {
    return [...this.#shared.values()].map(({ backend }) => backend);
  }

  /**
   * Starts a backend for a worker, or lets it join.
   *
   * @throws GatewayError `GW_BACKEND_SPEC`; `GW_BACKEND_NAME` if its siblings run another one under this name
   */
  start(user: BackendUser, spec: BackendSpec): BackendFacts {
    const shared = this.#shared.get(keyOf(user, spec.name)) ?? this.#begin(user, spec);
    if (!isDeepStrictEqual(shared.spec, spec)) {
      const name = JSON.stringify(spec.name);
      throw new GatewayError("GW_BACKEND_NAME", 500, `another worker runs a different backend under the name ${name}`);
    }
    shared.users.set(user, spec.maxProcesses === undefined ? (spec.processes ?? 1) : 0);
    shared.backend.ready.then(
      () => user.backendReady(spec.name, null),
      (error: Error) => user.backendReady(spec.name, error.message),
    );
    return factsOf(shared.backend);
  }

  roll(user: BackendUser, name: string): Promise<void> {
    return this.#find(user, name).backend.roll();
  }

  recycle(user: BackendUser, name: string, { pid, drain }: { pid: number; drain: boolean }): Promise<void> {
    return this.#find(user, name).backend.recycle(pid, { drain });
  }

  /** A worker needs so many processes. */
  async resize(user: BackendUser, name: string, processes: number): Promise<void> {
    const shared = this.#find(user, name);
    shared.users.set(user, processes);
    await shared.backend.resize(processesFor(shared));
  }

  /** A worker does not need a backend any more; settles when it has ended, if it was the last. */
  async stop(user: BackendUser, name: string): Promise<void> {
    const key = keyOf(user, name);
    const shared = this.#shared.get(key);
    if (shared === undefined || !shared.users.delete(user)) return;
    if (shared.users.size > 0) {
      if (shared.spec.maxProcesses !== undefined) await shared.backend.resize(processesFor(shared));
      return;
    }
    this.#shared.delete(key);
    const ending = shared.backend.stop();
    this.#ending.add(ending);
    await ending.finally(() => this.#ending.delete(ending));
  }

  /** A worker is gone. */
  leave(user: BackendUser): void {
    for (const { spec, users } of [...this.#shared.values()]) if (users.has(user)) void this.stop(user, spec.name);
  }

  /** Ends everything; settles when all are gone. */
  async stopAll(): Promise<void> {
    const all = [...this.#shared.values()].map(({ backend }) => backend.stop());
    this.#shared.clear();
    await Promise.all([...all, ...this.#ending]);
  }

  #begin(user: BackendUser, spec: BackendSpec): Shared {
    const shared: Shared = { spec, backend: this.#options.start(spec), users: new Map() };
    this.#shared.set(keyOf(user, spec.name), shared);
    shared.backend.onChange(() => {
      for (const one of shared.users.keys()) one.backendChanged(spec.name, factsOf(shared.backend));
    });
    return shared;
  }

  #find(user: BackendUser, name: string): Shared {
    const shared = this.#shared.get(keyOf(user, name));
    if (shared !== undefined) return shared;
    throw new GatewayError("GW_BACKEND_NAME", 500, `no backend named ${JSON.stringify(name)} runs`);
  }
}

/** A pool that grows with its work has work from every worker; of a fixed number each worker says the same. */
function processesFor({ spec: { processes = 1, maxProcesses }, users }: Shared): number {
  const needs = [...users.values()];
  if (maxProcesses === undefined) return Math.max(...needs);
  const all = needs.reduce((sum, one) => sum + one, 0);
  return Math.min(maxProcesses, Math.max(processes, all));
}

function keyOf({ generation }: BackendUser, name: string): string {
  return `${generation} ${name}`;
}

function factsOf({ state, addresses, processes, lastError }: Backend): BackendFacts {
  return { state, addresses, processes, lastError };
}
