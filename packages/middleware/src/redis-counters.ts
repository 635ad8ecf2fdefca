// Counts of rate limits and login attempts in Redis or Valkey: for several machines behind one address.
import {
  type AppContext,
  type CounterReading,
  type Counters,
  createCounters,
  type Lifecycle,
  type Logger,
  silentLogger,
} from "@gw/core";
import type { RedisClient } from "./redis/client.ts";
import { RedisLink, redisScript, within } from "./redis/link.ts";

export type { IoredisClient, NodeRedisClient, RedisClient, RedisSend } from "./redis/client.ts";

/** Settings of `redisCounters`. */
export interface RedisCountersOptions {
  /** A client of `ioredis` or `redis` (node-redis), or a function that sends a command; as of `redisStore`. */
  client: RedisClient;
  /** What every key begins with. @default "gw:count:" */
  prefix?: string;
  /** Longest wait for the server, milliseconds; then this hit is counted by the gateway itself. @default 250 */
  timeoutMs?: number;
  /** Longest wait for the server at start, milliseconds; then the gateway does not start. @default 5_000 */
  startTimeoutMs?: number;
}

/**
 * Counters that all gateways of one server share: `rateLimit({ counters })`, `formLogin({ throttle: { counters } })`.
 *
 * Windows are of the server's clock. While it is out, each gateway counts for itself: a limit then holds for each of them,
 * and nobody is locked out or let through because of the outage. Answers come later, so not for sync pipelines.
 */
export function redisCounters(options: RedisCountersOptions): Counters & Lifecycle {
  return new RedisCounters(options);
}

/** KEYS: the counted thing. ARGV: window in milliseconds, hits to add. Gives count, count before, milliseconds to the end. */
const HIT = redisScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local window = tonumber(ARGV[1])
local index = math.floor(now / window)
local function at(number) return KEYS[1] .. ':' .. string.format('%.0f', number) end
local count
if ARGV[2] == '0' then
  count = redis.call('GET', at(index)) or '0'
else
  count = redis.call('INCRBY', at(index), ARGV[2])
  redis.call('PEXPIRE', at(index), math.ceil(window * 2))
end
return { tostring(count), redis.call('GET', at(index - 1)) or '0', string.format('%.0f', (index + 1) * window - now) }`);

class RedisCounters implements Counters, Lifecycle {
  readonly #link: RedisLink;
  readonly #prefix: string;
  readonly #timeoutMs: number;
  #own: Counters = createCounters();
  #log: Logger = silentLogger;
  #isOut = false;

  constructor({ client, prefix = "gw:count:", timeoutMs = 250, startTimeoutMs = 5_000 }: RedisCountersOptions) {
    this.#link = new RedisLink(client, startTimeoutMs);
    this.#prefix = prefix;
    this.#timeoutMs = timeoutMs;
  }

  readonly start = (context: AppContext): Promise<void> => {
    this.#own = context.counters;
    this.#log = context.log;
    return this.#link.start(context);
  };

  readonly stop = (): Promise<void> => this.#link.stop();

  async hit(key: string, { windowMs, by = 1 }: { windowMs: number; by?: number }): Promise<CounterReading> {
    try {
      const work = this.#link.run(HIT, [this.#prefix + key], [String(windowMs), String(by)]);
      const [count, previous, resetMs] = (await within(this.#timeoutMs, work)) as unknown[];
      this.#isOut = false;
      return { count: Number(count), previous: Number(previous), resetMs: Number(resetMs) };
    } catch (err) {
      if (!this.#isOut) this.#log.warn({ err }, "counting in this gateway alone while the Redis server is out");
      this.#isOut = true;
      return await this.#own.hit(key, { windowMs, by });
    }
  }
}
