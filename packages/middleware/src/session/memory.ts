// Sessions in the memory of one process: for tests and for gateways that may forget at a restart.
import { type AppContext, type Description, GatewayError } from "@gw/core";
import type { SessionRecord, SessionStore } from "./store.ts";

/** Settings of `memoryStore`. */
export interface MemoryStoreOptions {
  /** Most sessions kept; beyond, the least recently used one without a user goes first. @default 100_000 */
  maxSessions?: number;
  /** Most characters of session data kept in all. @default 67_108_864 */
  maxChars?: number;
}

/**
 * Keeps sessions in memory. Synchronous, bounded, gone at a restart.
 *
 * Processes do not share it: a gateway of several workers refuses it at start with `GW_SESSION_NOT_SHARED`; use the file,
 * the SQLite or the Redis store there.
 */
export function memoryStore(options: MemoryStoreOptions = {}): SessionStore & { readonly size: number } {
  return new MemoryStore(options);
}

const SWEEP_EVERY = 1_024; // creations between two searches for ended sessions

class MemoryStore implements SessionStore {
  readonly isSync = true;
  readonly #maxSessions: number;
  readonly #maxChars: number;
  // Both in the order of use. A flood of visitors must not push out those who are logged in.
  readonly #visitors: Map<string, SessionRecord> = new Map();
  readonly #users: Map<string, SessionRecord> = new Map();
  #chars = 0;
  #creations = 0;

  constructor({ maxSessions = 100_000, maxChars = 67_108_864 }: MemoryStoreOptions) {
    this.#maxSessions = maxSessions;
    this.#maxChars = maxChars;
  }

  /** Sessions kept, ended ones not yet swept included. */
  get size(): number {
    return this.#visitors.size + this.#users.size;
  }

  /** @throws GatewayError `GW_SESSION_NOT_SHARED` beside other processes of the same gateway. */
  start({ hasSiblings = false }: AppContext): void {
    if (!hasSiblings) return;
    throw new GatewayError(
      "GW_SESSION_NOT_SHARED",
      500,
      "memoryStore() keeps sessions in one process, and this gateway has several: use localStore(), sqliteStore(), " +
        "fileStore() or redisStore()",
    );
  }

  describe(): Description {
    return { kind: "session store", name: "memory", facts: { maxSessions: this.#maxSessions } };
  }

  read(key: string): SessionRecord | null {
    const record = this.#find(key);
    if (record === null) return null;
    if (record.expiresMs <= Date.now()) {
      this.end(key);
      return null;
    }
    this.#put(key, record); // now the most recently used
    return record;
  }

  create(key: string, record: SessionRecord): void {
    this.#put(key, record);
    if (++this.#creations % SWEEP_EVERY === 0) this.#sweep();
    this.#evict(key);
  }

  replace(key: string, version: number, record: SessionRecord): boolean {
    if (this.#find(key)?.version !== version) return false;
    this.#put(key, record);
    this.#evict(key);
    return true;
  }

  move(key: string, version: number, newKey: string, record: SessionRecord): boolean {
    if (this.#find(key)?.version !== version) return false;
    this.end(key);
    this.create(newKey, record);
    return true;
  }

  touch(key: string, expiresMs: number): void {
    const record = this.#find(key);
    if (record !== null) this.#put(key, { ...record, expiresMs });
  }

  end(key: string): void {
    const record = this.#find(key);
    if (record === null) return;
    this.#chars -= record.data.length;
    this.#visitors.delete(key);
    this.#users.delete(key);
  }

  endAll(user: string): number {
    const keys = [...this.#users].filter(([, record]) => record.user === user).map(([key]) => key);
    for (const key of keys) this.end(key);
    return keys.length;
  }

  #find(key: string): SessionRecord | null {
    return this.#users.get(key) ?? this.#visitors.get(key) ?? null;
  }

  #put(key: string, record: SessionRecord): void {
    this.end(key);
    this.#chars += record.data.length;
    (record.user === null ? this.#visitors : this.#users).set(key, record);
  }

  #sweep(): void {
    const nowMs = Date.now();
    for (const records of [this.#visitors, this.#users]) {
      for (const [key, record] of records) if (record.expiresMs <= nowMs) this.end(key);
    }
  }

  #evict(spare: string): void {
    while ((this.size > this.#maxSessions || this.#chars > this.#maxChars) && this.size > 1) {
      const [oldest] = this.#visitors.size > 0 ? this.#visitors.keys() : this.#users.keys();
      if (oldest === undefined || oldest === spare) {
        const [user] = this.#users.keys();
        if (user === undefined || user === spare) return;
        this.end(user);
      } else this.end(oldest);
    }
  }
}
