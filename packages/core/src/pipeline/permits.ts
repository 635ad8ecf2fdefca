// Permits of one process: what is taken here is all that is taken.
import type { Metrics } from "../model/context.ts";
import type { PermitPool, Permits } from "../model/permits.ts";

/** Inputs of createPermits. */
export interface PermitsOptions {
  /** Gets the gauge `gw_permits`: how many there are of each name. @default none */
  metrics?: Pick<Metrics, "gauge">;
}

/** Permits for a gateway that is one process. */
export function createPermits({ metrics }: PermitsOptions = {}): Permits {
  const pools = new Map<string, LocalPool>();
  return {
    pool(name, limit) {
      metrics
        ?.gauge({ name: "gw_permits", help: "How many may do something at once, by its name." })
        .set(limit, { name });
      const found = pools.get(name);
      if (found === undefined) {
        const pool = new LocalPool(limit);
        pools.set(name, pool);
        return pool;
      }
      found.change(limit);
      return found;
    },
  };
}

class LocalPool implements PermitPool {
  limit: number;
  readonly isEmpty = true; // nobody else has any
  #taken = 0;
  readonly #listeners = new Set<() => void>();

  constructor(limit: number) {
    this.limit = limit;
  }

  take(): boolean {
    if (this.#taken >= this.limit) return false;
    this.#taken++;
    return true;
  }

  give(): void {
    this.#taken--;
    this.#tell();
  }

  /** There are more or fewer from now on; those beyond it that are taken come back in their time. */
  change(limit: number): void {
    this.limit = limit;
    this.#tell();
  }

  want(): void {}

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
