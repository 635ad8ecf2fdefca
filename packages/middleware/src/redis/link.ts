// The link to a Redis or Valkey server: scripts by their hash, no queue while it is out, a word in the log when it goes and comes.
import { hash } from "node:crypto";
import { type AppContext, GatewayError, type Logger, silentLogger } from "@gw/core";
import {
  type ConnectedClient,
  closeClient,
  isIdle,
  isReady,
  type RedisClient,
  type RedisSend,
  sendThrough,
} from "./client.ts";

/** A script that runs in the server in one step. */
export interface RedisScript {
  readonly text: string;
  readonly sha: string;
}

/** A script and its hash. */
export function redisScript(text: string): RedisScript {
  return { text, sha: hash("sha1", text, "hex") };
}

const STOP_TIMEOUT_MS = 1_000;
const MAX_WAITING = 10_000;

/** One client as its users see it. */
export class RedisLink {
  readonly #client: RedisClient;
  readonly #send: RedisSend;
  readonly #startTimeoutMs: number;
  #log: Logger = silentLogger;
  #isStarted = false;
  #isOurs = false;
  #isOut = false;
  #waiting = 0;

  constructor(client: RedisClient, startTimeoutMs: number) {
    this.#client = client;
    this.#startTimeoutMs = startTimeoutMs;
    this.#send = sendThrough(client);
    // Without a listener node-redis ends the process when the connection breaks.
    if (typeof client !== "function") client.on?.("error", (error) => this.#noteOutage(error));
  }

  /** Connects a client that is not, and asks whether the server answers. @throws GatewayError `GW_REDIS` (503) if it does not in time. */
  async start({ log }: Pick<AppContext, "log">): Promise<void> {
    this.#log = log;
    try {
      await within(this.#startTimeoutMs, this.#connect());
    } catch (cause) {
      await this.#close(true);
      throw outError("the Redis server cannot be reached", cause);
    }
    this.#isStarted = true;
  }

  /** Closes the connection if we opened it: clients that are connecting anew would wait for the server first. */
  async stop(): Promise<void> {
    this.#isStarted = false;
    const isHurried = !isReady(this.#client);
    await within(STOP_TIMEOUT_MS, this.#close(isHurried)).catch(() => this.#close(true));
  }

  /** `"degraded"` while the server is out. */
  get state(): "ready" | "degraded" {
    return this.#isOut ? "degraded" : "ready";
  }

  /** Runs a command. @throws GatewayError `GW_REDIS` (503) at once while there is no connection; else what the client says. */
  async command(...args: readonly string[]): Promise<unknown> {
    // Clients queue what they cannot send. Nobody waits for those answers any more: late writes, and a queue without bound.
    if (this.#isStarted && !isReady(this.#client)) throw outError("there is no connection to the Redis server");
    if (this.#waiting >= MAX_WAITING) throw outError(`${MAX_WAITING} commands wait for the Redis server`);
    this.#waiting++;
    try {
      const reply = await this.#send(args);
      this.#noteReturn();
      return reply;
    } finally {
      this.#waiting--;
    }
  }

  /** Runs a script, by its hash if the server knows it. */
  async run({ sha, text }: RedisScript, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await this.command("EVALSHA", sha, ...rest);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
      return await this.command("EVAL", text, ...rest); // the server was restarted, or is asked for the first time
    }
  }

  async #connect(): Promise<void> {
    const client = this.#client;
    if (typeof client !== "function") {
      this.#isOurs = isIdle(client);
      if (this.#isOurs) await client.connect?.();
      else if (!isReady(client)) await untilReady(client);
    }
    await this.#send(["PING"]);
  }

  async #close(isHurried: boolean): Promise<void> {
    if (this.#isOurs && typeof this.#client !== "function") await closeClient(this.#client, isHurried);
  }

  #noteOutage(err: Error): void {
    if (this.#isOut) return; // clients say it again with each attempt
    this.#isOut = true;
    if (this.#isStarted) this.#log.warn({ err }, "the Redis server is out");
  }

  #noteReturn(): void {
    if (!this.#isOut) return;
    this.#isOut = false;
    if (this.#isStarted) this.#log.info({}, "the Redis server is back");
  }
}

/** Its owner is connecting it. */
function untilReady(client: ConnectedClient): Promise<void> {
  return new Promise((done) => void client.on?.("ready", () => done()));
}

function outError(message: string, cause?: unknown): GatewayError {
  return new GatewayError("GW_REDIS", 503, message, { cause });
}

/** @throws Error if the work takes longer */
export function within<T>(ms: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
