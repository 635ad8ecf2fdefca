// What a peer may cost us: sizes, counts and times, with their defaults (R-H6, R-H7, R-H9, R-H10).
import { type Address, DEFAULT_MAX_BODY_BYTES, GatewayError, HeaderList } from "@gw/core";
import type { ClientLoad } from "./client-counts.ts";
import type { Generation } from "./generation.ts";

/** Limits of one server. Every one has a default; times are checked about once a second. */
export interface HttpLimits {
  /** Request line, or `:path` in HTTP/2, bytes; longer: 414. @default 8_192 */
  maxRequestLineBytes: number;
  /** Whole head, names and values, bytes; larger: 431. @default 32_768 */
  maxHeaderBytes: number;
  /** Field lines of a head; more: 431. @default 100 */
  maxHeaderLines: number;
  /** Request body, bytes; larger: 413. Mounts and layers change it by `exchange.maxBodyBytes`. @default 10_000_000 */
  maxBodyBytes: number;
  /** Body bytes an app left unread that are read and thrown away before the connection is closed. @default 1_048_576 */
  maxUnreadBodyBytes: number;
  /** From the first to the last byte of a head, also of a connection's first one; longer: 408. @default 10_000 */
  headerTimeoutMs: number;
  /** How long an app may wait for body bytes before `minBodyBytesPerSecond` counts. @default 20_000 */
  bodyTimeoutMs: number;
  /** Slowest upload while an app waits for it, bytes per second; slower: 408. @default 500 */
  minBodyBytesPerSecond: number;
  /** From the head to the end of the request's body; longer: 408. 0: no limit. @default 900_000 */
  requestTimeoutMs: number;
  /** How long a client may read nothing of what is sent to it before it is cut off. @default 60_000 */
  writeTimeoutMs: number;
  /** Idle time between requests; longer than the 60 s of common load balancers, so that they close first. @default 65_000 */
  keepAliveTimeoutMs: number;
  /** Time for a TLS handshake, a PROXY header or the first bytes of a connection. @default 10_000 */
  handshakeTimeoutMs: number;
  /** Open connections of all binds; beyond: closed at once. 0: no limit. @default 0 */
  maxConnections: number;
  /** Exchanges at once; beyond: 503 with Retry-After. 0: no limit. @default 0 */
  maxConcurrentRequests: number;
  /** Exchanges at once of one client address (IPv6: /64); beyond: 429 with Retry-After. 0: no limit. @default 0 */
  maxConcurrentRequestsPerClient: number;
  /** Open connections of one client address (IPv6: /64), listed proxies aside; beyond: closed at once. 0: no limit. @default 0 */
  maxConnectionsPerClient: number;
  /** Pipelined requests read ahead on one HTTP/1.1 connection; the connection closes after them if there are more. @default 64 */
  maxPipelinedRequests: number;
  /** Streams at once on one HTTP/2 connection. @default 100 */
  maxStreams: number;
  /** Memory of one HTTP/2 connection, megabytes. @default 10 */
  maxSessionMegabytes: number;
  /** PING, SETTINGS and RST_STREAM frames and empty DATA frames on one HTTP/2 connection within ten seconds; more: GOAWAY. @default 1_000 */
  maxControlFrames: number;
}

/** The limits used for what the options do not say. */
export const DEFAULT_LIMITS: Readonly<HttpLimits> = {
  maxRequestLineBytes: 8_192,
  maxHeaderBytes: 32_768,
  maxHeaderLines: 100,
  maxBodyBytes: DEFAULT_MAX_BODY_BYTES,
  maxUnreadBodyBytes: 1_048_576,
  headerTimeoutMs: 10_000,
  bodyTimeoutMs: 20_000,
  minBodyBytesPerSecond: 500,
  requestTimeoutMs: 900_000,
  writeTimeoutMs: 60_000,
  keepAliveTimeoutMs: 65_000,
  handshakeTimeoutMs: 10_000,
  maxConnections: 0,
  maxConcurrentRequests: 0,
  maxConcurrentRequestsPerClient: 0,
  maxConnectionsPerClient: 0,
  maxPipelinedRequests: 64,
  maxStreams: 100,
  maxSessionMegabytes: 10,
  maxControlFrames: 1_000,
};

/**
 * The defaults with the given limits in their place.
 *
 * @throws GatewayError `GW_HTTP_OPTION` for an unknown name or a value that is no count.
 */
export function resolveLimits(given: Partial<HttpLimits> = {}): HttpLimits {
  const limits: HttpLimits = { ...DEFAULT_LIMITS };
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (!(name in DEFAULT_LIMITS)) {
      throw new GatewayError(
        "GW_HTTP_OPTION",
        500,
        `limits.${name} is no limit; known are ${Object.keys(DEFAULT_LIMITS).join(", ")}`,
      );
    }
    if (!(value >= 0)) {
      throw new GatewayError(
        "GW_HTTP_OPTION",
        500,
        `limits.${name}: expected a number from 0 on, found ${String(value)}`,
      );
    }
    limits[name as keyof HttpLimits] = value;
  }
  return limits;
}

/** What a server has under way. */
export interface Load {
  readonly limits: HttpLimits;
  readonly generation: Generation;
  readonly clients: ClientLoad;
}

/**
 * Refuses what is one exchange too many (R-O10), of all or of this client.
 *
 * @throws GatewayError `GW_HTTP_OVERLOADED` (503), `GW_HTTP_CLIENT_BUSY` (429)
 */
export function checkLoad({ limits, generation, clients }: Load, client: Address | null): void {
  clients.check(client);
  const { maxConcurrentRequests } = limits;
  if (maxConcurrentRequests === 0 || generation.running < maxConcurrentRequests) return;
  throw new GatewayError("GW_HTTP_OVERLOADED", 503, "too many requests at once", { headers: retrySoon });
}

const retrySoon: HeaderList = HeaderList.from({ "Retry-After": "1" });
