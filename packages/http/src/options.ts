// What serve() can be told, and what it gives back.
import type { Address, AppContext, AppSource } from "@gw/core";
import type { FrontIdentityOptions } from "./front-identity.ts";
import type { HttpLimits } from "./limits.ts";
import type { TlsOptions } from "./tls.ts";
import type { WebSocketOptions } from "./websocket-options.ts";

/** Settings of `serve`. */
export interface ServeOptions {
  /** Where to listen: `"host:port"`, `"unix:/path"`, `"fd://3"`; one or several. Port 0: any free one. @default "127.0.0.1:8000" */
  bind?: string | readonly string[];
  /** Permission bits of the files of unix sockets. @default 0o660 */
  unixMode?: number;
  /** Connections that may wait to be accepted. @default 511 */
  backlog?: number;
  /** Certificates; with them every bind speaks TLS. @default no TLS */
  tls?: TlsOptions;
  /** HTTP versions: `1`, `2`, or `"auto"`: both, chosen by ALPN over TLS. @default "auto" */
  http?: "auto" | 1 | 2;
  /** Whether HTTP/2 without TLS is spoken to clients that start with its preface (RFC 9113 §3.3). @default false; true with `http: 2` */
  h2c?: boolean;
  /** Sizes, counts and times. */
  limits?: Partial<HttpLimits>;
  /** WebSocket settings. */
  webSocket?: WebSocketOptions;
  /**
   * Peers whose forwarding headers (`Forwarded`, `X-Forwarded-*`) count: addresses, CIDR blocks, `"unix"`, `"*"`.
   * From all others they are removed (R-H17). Listing a peer that is no proxy lets it choose its address. @default none
   */
  trustedProxies?: readonly string[];
  /**
   * Names, in lower case, of the forwarding headers that every trusted proxy sets itself. One that a proxy only hands on is
   * the client's word. @default ["x-forwarded-for", "x-forwarded-proto"]
   */
  forwardedFields?: readonly string[];
  /** Peers that start each connection with a PROXY header (v1 or v2): addresses, CIDR blocks, `"unix"`. It is required from them. @default none */
  proxyProtocol?: readonly string[];
  /** Further names of identity headers to remove from clients, such as the one a backend is given (R-H18). @default none */
  identityHeaders?: readonly string[];
  /**
   * Front servers that log users in, and the fields in which they say who; over HTTP what REMOTE_USER is over FastCGI. The
   * fields become `params`, of which the layer `remoteUser` makes a user; from everybody else they are only removed. @default none
   */
  identityFrom?: FrontIdentityOptions;
  /** Host names answered, without ports; `"*.example.com"` for names below. Others: 421. @default every name */
  allowedHosts?: readonly string[];
  /** How long running exchanges may take to end at `close` or `reload` before they are cut. @default 30_000 */
  gracefulTimeoutMs?: number;
  /** How long an idle connection stays open at `close` for a request that is on its way. @default 100 */
  idleGraceMs?: number;
  /** Log, metrics, counters and backends for the app. @default createContext() */
  context?: AppContext;
}

/** A server that runs, or is about to. */
export interface RunningServer {
  /** URL of the first bind. @throws GatewayError `GW_HTTP_NOT_READY` before `ready` has settled. */
  readonly url: string;
  /** Where it listens, one per bind, with real ports; empty before `ready`. */
  readonly addresses: readonly Address[];
  /** Settles when the app has started and every bind listens; rejects if one does not, with nothing left running. */
  readonly ready: Promise<void>;
  /**
   * Stops accepting, finishes running exchanges (at most `gracefulTimeoutMs`), then stops the app.
   * A second call cuts what still runs.
   */
  close(): Promise<void>;
  /**
   * Starts the next app, gives it all new requests, lets the old one finish and stops it. Without an app, the
   * running one reloads. Certificates are read again. If anything fails, nothing has changed (R-O2).
   */
  reload(nextApp?: AppSource): Promise<void>;
}
