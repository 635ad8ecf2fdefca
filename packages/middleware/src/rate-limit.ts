// So many requests per client and window of time; beyond it, 429 (R-M14).
import {
  type Answer,
  addressKey,
  andThen,
  type CounterReading,
  type Counters,
  createCounters,
  GatewayError,
  type GatewayRequest,
  type Lifecycle,
  layer,
  type MaybePromise,
  type Middleware,
} from "@gw/core";
import { refusal } from "./pages/refusal.ts";
import { countersLife } from "./rate/counters-life.ts";
import { roomIn, waitFor } from "./rate/sliding-window.ts";

/** Settings of `rateLimit`. */
export interface RateLimitOptions {
  /** Requests per client and window. */
  limit: number;
  /** Length of the sliding window, milliseconds. @default 60_000 */
  windowMs?: number;
  /**
   * What is counted as one client; `null`: not counted. Take nothing that a client can choose, such as a header.
   * @default the address as the carrier or `proxyHeaders` reports it; an IPv6 address counts as its /64
   */
  key?: (request: GatewayRequest) => string | null;
  /** Name of the limit; layers of one name count together. @default one of its own, "requests" for the first */
  name?: string;
  /** Whether answers tell how much is left, in the fields `RateLimit-Policy` and `RateLimit` (a draft of the IETF's httpapi group). @default false */
  headers?: boolean;
  /** Who counts, for gateways on several machines: `redisCounters({ client })`. @default this gateway, for all of its processes */
  counters?: Counters & Lifecycle;
}

/**
 * Answers 429 with Retry-After to clients that send more than `limit` requests or openings within the window.
 *
 * Counted for the whole gateway, all of its processes, in bounded memory. A refused request is not counted.
 *
 * @throws GatewayError `GW_RATE_LIMIT` if the limit or the window is no positive number.
 */
export function rateLimit(options: RateLimitOptions): Middleware {
  const { limit, windowMs = 60_000, key = ({ client }) => addressKey(client), headers = false } = options;
  if (!(limit >= 1) || !(windowMs >= 1)) {
    throw new GatewayError("GW_RATE_LIMIT", 500, `limit and windowMs are positive, found ${limit} and ${windowMs}`);
  }
  const name = options.name ?? nextName();
  let counters: Counters = options.counters ?? createCounters();
  const hit = (client: string, by: number): MaybePromise<CounterReading> =>
    counters.hit(`rate ${name} ${client}`, { windowMs, by });
  const rooms = new WeakMap<object, string>();
  return layer({
    name: "rateLimit",
    oncePerExchange: true,
    ...countersLife(options.counters, (shared) => {
      counters = shared;
    }),
    onRequest(request): MaybePromise<GatewayRequest | Answer> {
      const client = key(request);
      if (client === null) return request;
      return andThen(hit(client, 1), (reading) => {
        const waitMs = waitFor(reading, limit, windowMs, false);
        if (waitMs !== null) return andThen(hit(client, -1), () => tooMany(waitMs));
        if (headers) rooms.set(request.exchange, roomField(name, reading, limit, windowMs));
        return request;
      });
    },
    ...(headers && {
      onResponse(answer: Answer, { exchange }: GatewayRequest): Answer {
        const room = rooms.get(exchange);
        if (room === undefined) return answer;
        const policy = `"${name}";q=${limit};w=${Math.ceil(windowMs / 1_000)}`;
        return { ...answer, headers: answer.headers.append("RateLimit-Policy", policy).append("RateLimit", room) };
      },
    }),
  });
}

let named = 0;

function nextName(): string {
  named++;
  return named === 1 ? "requests" : `requests-${named}`;
}

function tooMany(waitMs: number): Answer {
  return refusal(429, { "Retry-After": String(Math.max(1, Math.ceil(waitMs / 1_000))) });
}

function roomField(name: string, reading: CounterReading, limit: number, windowMs: number): string {
  return `"${name}";r=${roomIn(reading, limit, windowMs)};t=${Math.ceil(reading.resetMs / 1_000)}`;
}
