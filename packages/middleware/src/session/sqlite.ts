// Sessions in an SQLite database, where the runtime has `node:sqlite`.
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type AppContext, type Description, GatewayError } from "@gw/core";
import type { SessionRecord, SessionStore } from "./store.ts";

/** Settings of `sqliteStore`. */
export interface SqliteStoreOptions {
  /** File of the database, on a local file system; made with mode 0600 if missing. */
  path: string;
  /** Longest wait for another process that is writing, milliseconds. It blocks. @default 1_000 */
  busyTimeoutMs?: number;
  /** Pause between two removals of ended sessions, milliseconds. @default 600_000 */
  sweepEveryMs?: number;
}

/** Whether this runtime has `node:sqlite` (Node 22.13 and later). */
export function hasSqlite(): boolean {
  return sqliteModule() !== undefined;
}

/**
 * Keeps sessions in an SQLite database (WAL). Synchronous; several processes can share it.
 *
 * Saved sessions survive a restart of the gateway; those of the last moments
 * before a power cut may not. After a failure the database is opened anew.
 *
 * @throws GatewayError `GW_NO_SQLITE` if the runtime has no `node:sqlite`: use `fileStore`.
 */
export function sqliteStore(options: SqliteStoreOptions): SessionStore {
  if (!hasSqlite()) {
    throw new GatewayError("GW_NO_SQLITE", 500, `Node ${process.version} has no node:sqlite; use fileStore()`);
  }
  return new SqliteStore(options);
}

function sqliteModule(): typeof import("node:sqlite") | undefined {
  return process.getBuiltinModule("node:sqlite");
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS gw_sessions (
    key TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    user TEXT,
    data TEXT NOT NULL
  ) WITHOUT ROWID, STRICT;
  CREATE INDEX IF NOT EXISTS gw_sessions_expires ON gw_sessions (expires);
  CREATE INDEX IF NOT EXISTS gw_sessions_user ON gw_sessions (user) WHERE user IS NOT NULL;
`;

const STATEMENTS = {
  read: "SELECT version, created, expires, user, data FROM gw_sessions WHERE key = ? AND expires > ?",
  create: "INSERT INTO gw_sessions (key, version, created, expires, user, data) VALUES (?, ?, ?, ?, ?, ?)",
  // One statement for both replace and move: the key may change with the rest.
  swap: "UPDATE gw_sessions SET key = ?, version = ?, created = ?, expires = ?, user = ?, data = ? WHERE key = ? AND version = ?",
  touch: "UPDATE gw_sessions SET expires = ? WHERE key = ?",
  end: "DELETE FROM gw_sessions WHERE key = ?",
  endAll: "DELETE FROM gw_sessions WHERE user = ?",
  sweep: "DELETE FROM gw_sessions WHERE key IN (SELECT key FROM gw_sessions WHERE expires <= ? LIMIT 500)",
} as const;

type Statements = Record<keyof typeof STATEMENTS, StatementSync>;

const SQLITE_BUSY = 5;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

interface Row {
  readonly version: number;
  readonly created: number;
  readonly expires: number;
  readonly user: string | null;
  readonly data: string;
}

class SqliteStore implements SessionStore {
  readonly isSync = true;
  readonly #path: string;
  readonly #busyTimeoutMs: number;
  readonly #sweepEveryMs: number;
  #database: DatabaseSync | null = null;
  #statements: Statements | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor({ path, busyTimeoutMs = 1_000, sweepEveryMs = 600_000 }: SqliteStoreOptions) {
    this.#path = path;
    this.#busyTimeoutMs = busyTimeoutMs;
    this.#sweepEveryMs = sweepEveryMs;
  }

  start({ log }: AppContext): void {
    this.#open();
    const sweep = (): void => {
      if (this.#timer === null) return;
      try {
        // A full batch: more is waiting. The loop runs in between.
        if (this.#run((all) => all.sweep.run(Date.now()).changes) === 500) setImmediate(sweep);
      } catch (err) {
        log.warn({ err }, "ended sessions were not removed");
      }
    };
    this.#timer = setInterval(sweep, this.#sweepEveryMs).unref();
    sweep();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#close();
  }

  describe(): Description {
    return { kind: "session store", name: "SQLite", facts: { path: this.#path } };
  }

  read(key: string): SessionRecord | null {
    const row = this.#run((all) => all.read.get(key, Date.now())) as Row | undefined;
    if (row === undefined) return null;
    const { version, created, expires, user, data } = row;
    return { version, createdMs: created, expiresMs: expires, user, data };
  }

  create(key: string, { version, createdMs, expiresMs, user, data }: SessionRecord): void {
    this.#run((all) => all.create.run(key, version, whole(createdMs), whole(expiresMs), user, data));
  }

  replace(key: string, version: number, record: SessionRecord): boolean {
    return this.move(key, version, key, record);
  }

  move(key: string, version: number, newKey: string, record: SessionRecord): boolean {
    const { createdMs, expiresMs, user, data } = record;
    const { changes } = this.#run((all) =>
      all.swap.run(newKey, record.version, whole(createdMs), whole(expiresMs), user, data, key, version),
    );
    return changes === 1;
  }

  touch(key: string, expiresMs: number): void {
    this.#run((all) => all.touch.run(whole(expiresMs), key));
  }

  end(key: string): void {
    this.#run((all) => all.end.run(key));
  }

  endAll(user: string): number {
    return Number(this.#run((all) => all.endAll.run(user).changes));
  }

  #run<T>(use: (statements: Statements) => T): T {
    try {
      return use(this.#statements ?? this.#open());
    } catch (error) {
      this.#close(); // the file may have been replaced, the disk full: start afresh next time
      throw error;
    }
  }

  /** Opens the database, patiently: while another process makes it, SQLite reports it locked without waiting. */
  #open(): Statements {
    const until = performance.now() + this.#busyTimeoutMs;
    for (;;) {
      try {
        return this.#openOnce();
      } catch (error) {
        this.#close();
        if ((error as { errcode?: unknown }).errcode !== SQLITE_BUSY || performance.now() > until) throw error;
        Atomics.wait(sleeper, 0, 0, 5);
      }
    }
  }

  #openOnce(): Statements {
    const sqlite = sqliteModule() as typeof import("node:sqlite");
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    closeSync(openSync(this.#path, "a", 0o600)); // SQLite gives its own files the mode of this one
    const database = new sqlite.DatabaseSync(this.#path);
    this.#database = database;
    database.exec(`PRAGMA busy_timeout = ${this.#busyTimeoutMs}`);
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    database.exec(SCHEMA);
    const prepared = Object.entries(STATEMENTS).map(([name, sql]) => [name, database.prepare(sql)] as const);
    this.#statements = Object.fromEntries(prepared) as Statements;
    return this.#statements;
  }

  #close(): void {
    this.#statements = null;
    const database = this.#database;
    this.#database = null;
    try {
      database?.close();
    } catch {
      // It never opened; there is nothing to close.
    }
  }
}

function whole(ms: number): number {
  return Math.round(ms);
}
