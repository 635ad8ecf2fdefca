// Sessions in Redis or Valkey: for several machines. The client is yours.
import { randomBytes } from "node:crypto";
import type { AppContext, Description, Status } from "@gw/core";
import type { RedisClient } from "../redis/client.ts";
import { RedisLink } from "../redis/link.ts";
import { CREATE, END, END_ALL, SWAP, TOUCH } from "./redis-scripts.ts";
import type { SessionRecord, SessionStore } from "./store.ts";

export type { IoredisClient, NodeRedisClient, RedisClient, RedisSend } from "../redis/client.ts";

/** Settings of `redisStore`. */
export interface RedisStoreOptions {
  /**
   * A client of `ioredis` or `redis` (node-redis), or a function that sends a command. One that is not connected is connected
   * at start and closed at stop; one that you connected stays yours.
   */
  client: RedisClient;
  /** What every key begins with; gateways that share it share their logins. A Redis Cluster needs a hash tag: `"{gw}:"`. @default "gw:session:" */
  prefix?: string;
  /** Longest wait for the server at start, milliseconds; then the gateway does not start. @default 5_000 */
  startTimeoutMs?: number;
}

/**
 * Keeps sessions in Redis (5 and later) or Valkey. Asynchronous: sessions are loaded before the app is called.
 *
 * Each change is one script, so nothing is lost between processes and machines, and what has ended stays ended. Redis
 * forgets sessions at their end by itself. While the server is out, requests with a session are answered 503 at once.
 * How much survives a crash of the server is its own setting (`appendfsync`).
 */
export function redisStore(options: RedisStoreOptions): SessionStore {
  const { client, prefix = "gw:session:", startTimeoutMs = 5_000 } = options;
  return new RedisStore(new RedisLink(client, startTimeoutMs), prefix);
}

class RedisStore implements SessionStore {
  readonly isSync = false;
  readonly #link: RedisLink;
  readonly #prefix: string;

  constructor(link: RedisLink, prefix: string) {
    this.#link = link;
    this.#prefix = prefix;
  }

  start(context: AppContext): Promise<void> {
    return this.#link.start(context);
  }

  stop(): Promise<void> {
    return this.#link.stop();
  }

  describe(): Description {
    return { kind: "session store", name: "Redis", facts: { prefix: this.#prefix } };
  }

  status(): Status {
    const { state } = this.#link;
    return { name: "sessions in Redis", state, error: state === "ready" ? null : "the Redis server is out" };
  }

  async read(key: string): Promise<SessionRecord | null> {
    const reply = await this.#link.command("HMGET", this.#prefix + key, "v", "c", "e", "u", "d");
    const [version, created, ends, user, data] = reply as (string | null)[];
    if (version === null || version === undefined || Number(ends) <= Date.now()) return null;
    const record = { version: Number(version), createdMs: Number(created), expiresMs: Number(ends) };
    return { ...record, user: user === "" ? null : String(user).slice(1), data: String(data) };
  }

  async create(key: string, record: SessionRecord): Promise<void> {
    await this.#run(CREATE, [key], [key, ...textsOf(record)]);
  }

  replace(key: string, version: number, record: SessionRecord): Promise<boolean> {
    return this.move(key, version, key, record);
  }

  async move(key: string, version: number, newKey: string, record: SessionRecord): Promise<boolean> {
    const write = randomBytes(9).toString("base64url");
    const done = await this.#run(SWAP, [key, newKey], [key, newKey, String(version), ...textsOf(record), write]);
    return Number(done) === 1;
  }

  async touch(key: string, expiresMs: number): Promise<void> {
    await this.#run(TOUCH, [key], [key, whole(expiresMs)]);
  }

  async end(key: string): Promise<void> {
    await this.#run(END, [key], [key]);
  }

  async endAll(user: string): Promise<number> {
    return Number(await this.#run(END_ALL, [`user:${user}`], []));
  }

  #run(script: typeof CREATE, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const names = keys.map((key) => this.#prefix + key);
    return this.#link.run(script, names, [this.#prefix, ...args]);
  }
}

function textsOf({ version, createdMs, expiresMs, user, data }: SessionRecord): string[] {
  return [String(version), whole(createdMs), whole(expiresMs), user === null ? "" : `=${user}`, data];
}

function whole(ms: number): string {
  return String(Math.round(ms));
}
