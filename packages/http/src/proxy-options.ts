// What proxy() can be told.
import { type DeadlineOptions, type HealthOptions, isToken, type WaitQueueOptions } from "@gw/core";
import { ProxyError } from "./proxy-error.ts";
import { type ProxyTarget, parseProxyTarget } from "./proxy-target.ts";

/** TLS to an upstream. Its certificate is always verified. */
export interface ProxyTlsOptions {
  /** Certificates of authorities to believe, PEM; instead of the system's. */
  ca?: string;
  /** Our certificate, PEM, for upstreams that ask for one. */
  cert?: string;
  /** The key of `cert`, PEM. */
  key?: string;
  /** Name that the certificate must have. @default the target's host */
  serverName?: string;
}

/** WebSockets through a proxy: both ends are sockets of ours, so that each side has its own pace and limits. */
export interface ProxyWebSocketOptions {
  /** Sockets open at once to the upstreams of this mount; further openings are answered 503. @default 10_000 */
  maxOpen?: number;
  /** Largest message of an upstream, bytes; a larger one ends the socket. What clients send has the server's limit. @default 16_000_000 */
  maxMessageBytes?: number;
  /** Messages of the upstream that the client has not taken yet, bytes, before the upstream has to wait. @default 1_000_000 */
  maxUnreadBytes?: number;
  /** Sent bytes the upstream has not taken, beyond which the client has to wait. @default 65_536 */
  sendBufferBytes?: number;
  /** Time between pings to the upstream, milliseconds; one that is not answered by the next ends the socket. 0: none. @default 30_000 */
  pingIntervalMs?: number;
  /** Time for the upstream's part of the closing handshake, milliseconds. @default 5_000 */
  closeTimeoutMs?: number;
}

/** Inputs of `proxy`. */
export interface ProxyOptions extends DeadlineOptions, HealthOptions, WaitQueueOptions {
  /** The upstream: `"http://127.0.0.1:3000"`, `"https://app.internal/base"`, `"unix:/run/app.sock"`. This or `targets`. */
  target?: string;
  /** Several upstreams for the same: each request goes to the least busy one that works. */
  targets?: readonly string[];
  /** Time to connect, TLS included, milliseconds. @default 5_000 */
  connectTimeoutMs?: number;
  /** From the end of the request to the end of the answer's head, milliseconds. @default 60_000 */
  headerTimeoutMs?: number;
  /** Between two pieces of the answer, and longest wait for the upstream to take more of a body, milliseconds. @default 60_000 */
  idleTimeoutMs?: number;
  /** Until the end of the answer, milliseconds; time in which we wait for the client does not count. @default none */
  timeoutMs?: number;
  /** Requests at once to each upstream; further ones wait. @default 256 */
  maxConnections?: number;
  /** Connections kept open to each upstream; 0: a connection for each request. @default 16 */
  maxIdleConnections?: number;
  /** How long a connection is kept that nobody uses, milliseconds; should be less than the upstream's. @default 4_000 */
  keepAliveMs?: number;
  /** Whether the upstream sees the path without the mount's. @default true */
  stripMount?: boolean;
  /** Whether `Host` is the client's instead of the upstream's. Risk: upstreams that choose sites by it let clients choose. @default false */
  keepHost?: boolean;
  /** How the upstream is told who asks: `X-Forwarded-For`, `-Proto`, `-Host`, or `Forwarded` (RFC 7239). @default "x-forwarded" */
  forwarding?: "x-forwarded" | "forwarded" | "both" | "none";
  /** Whether Authorization is passed on, unless a layer consumed it (R-C6). @default true */
  authorization?: boolean;
  /** Field that carries the user: `"X-Remote-User"`. From clients it never arrives, in any spelling. @default none */
  userHeader?: string;
  /** Field that carries the user's groups, separated by commas. @default none */
  groupsHeader?: string;
  /** Fields by the mount's variable that they carry: `{ EMAIL: "X-User-Email" }`. @default none */
  variableHeaders?: Readonly<Record<string, string>>;
  /** Settings for `https:` targets. */
  tls?: ProxyTlsOptions;
  /** Settings of WebSockets. */
  webSocket?: ProxyWebSocketOptions;
}

/** The options with defaults filled in. */
export interface ProxySettings extends DeadlineOptions {
  readonly targets: readonly ProxyTarget[];
  readonly connectTimeoutMs: number;
  readonly headerTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly timeoutMs: number;
  readonly maxIdleConnections: number;
  readonly keepAliveMs: number;
  readonly stripMount: boolean;
  readonly keepHost: boolean;
  readonly forwarding: NonNullable<ProxyOptions["forwarding"]>;
  readonly authorization: boolean;
  readonly userHeader: string | null;
  readonly groupsHeader: string | null;
  readonly variableHeaders: readonly (readonly [variable: string, header: string])[];
  /** Every field that only we may write; one array for all requests. */
  readonly ownNames: readonly string[];
  readonly tls: ProxyTlsOptions;
  readonly webSocket: Required<ProxyWebSocketOptions>;
}

/** Fills in the defaults. @throws ProxyError `GW_PROXY_OPTION` */
export function resolveProxy({ target, targets = [], ...options }: ProxyOptions): ProxySettings {
  const all = [...(target === undefined ? [] : [target]), ...targets].map(parseProxyTarget);
  if (all.length === 0) throw new ProxyError("GW_PROXY_OPTION", 'proxy() needs a "target" or "targets"');
  const { userHeader = null, groupsHeader = null, variableHeaders = {} } = options;
  const pairs = Object.entries(variableHeaders);
  const written = [userHeader, groupsHeader, ...pairs.map(([, header]) => header)].filter((name) => name !== null);
  for (const name of written) requireFieldName(name);
  return {
    targets: all,
    ...numbersOf(options),
    stripMount: options.stripMount ?? true,
    keepHost: options.keepHost ?? false,
    forwarding: options.forwarding ?? "x-forwarded",
    authorization: options.authorization ?? true,
    userHeader,
    groupsHeader,
    variableHeaders: pairs,
    ownNames: [...NEVER_FROM_CLIENTS, ...written],
    tls: options.tls ?? {},
    webSocket: webSocketOf(options.webSocket),
  };
}

/** `Proxy` becomes HTTP_PROXY (R-C2); by the others some frameworks go to another path than the one that was guarded (R-M16). */
const NEVER_FROM_CLIENTS: readonly string[] = ["Proxy", "X-Original-URL", "X-Rewrite-URL"];

type Numbers = Pick<
  ProxySettings,
  "connectTimeoutMs" | "headerTimeoutMs" | "idleTimeoutMs" | "timeoutMs" | "maxIdleConnections" | "keepAliveMs"
>;

function numbersOf(options: Partial<Numbers>): Numbers {
  const numbers: Numbers = {
    connectTimeoutMs: options.connectTimeoutMs ?? 5_000,
    headerTimeoutMs: options.headerTimeoutMs ?? 60_000,
    idleTimeoutMs: options.idleTimeoutMs ?? 60_000,
    timeoutMs: options.timeoutMs ?? Number.POSITIVE_INFINITY,
    maxIdleConnections: options.maxIdleConnections ?? 16,
    keepAliveMs: options.keepAliveMs ?? 4_000,
  };
  return checkedNumbers("", numbers);
}

function webSocketOf(options: ProxyWebSocketOptions = {}): Required<ProxyWebSocketOptions> {
  return checkedNumbers("webSocket.", {
    maxOpen: options.maxOpen ?? 10_000,
    maxMessageBytes: options.maxMessageBytes ?? 16_000_000,
    maxUnreadBytes: options.maxUnreadBytes ?? 1_000_000,
    sendBufferBytes: options.sendBufferBytes ?? 65_536,
    pingIntervalMs: options.pingIntervalMs ?? 30_000,
    closeTimeoutMs: options.closeTimeoutMs ?? 5_000,
  });
}

function checkedNumbers<T extends object>(place: string, numbers: T): T {
  for (const [name, value] of Object.entries(numbers)) {
    if (!(value >= 0))
      throw new ProxyError("GW_PROXY_OPTION", `${place}${name}: expected a number from 0 on, found ${String(value)}`);
  }
  return numbers;
}

const NEVER_OWN =
  /^(?:host|content-length|content-type|transfer-encoding|connection|upgrade|te|trailer|cookie|expect|via|proxy|sec-websocket-.*)$/i;

function requireFieldName(name: string): void {
  if (isToken(name) && !NEVER_OWN.test(name)) return;
  throw new ProxyError("GW_PROXY_OPTION", `no field for the user or a variable: ${JSON.stringify(name)}`);
}
