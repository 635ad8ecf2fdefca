// The request: a plain record with own properties only, copied on change; and the exchange that outlives its copies.
import type { Address, TlsInfo } from "./address.ts";
import type { RequestBody } from "./body.ts";
import type { HeaderList } from "./headers.ts";
import type { Logger } from "./log.ts";
import type { MaybePromise } from "./maybe-promise.ts";
import type { Principal } from "./principal.ts";
import type { Answer } from "./response.ts";
import type { RequestState } from "./state.ts";

/** What requests and WebSocket openings have in common. Strings are byte strings unless said otherwise. */
export interface RequestHead {
  /** Method as sent, case kept; `"GET"` for a socket on every carrier. */
  readonly method: string;
  /** `kind` says socket; there is no `ws` here. */
  readonly scheme: "http" | "https";
  /** Request-target as received (RFC 9112 §3.2); never rewritten. */
  readonly target: string;
  /** `""` or `"/app"`: decoded bytes, no trailing slash. SCRIPT_NAME, root_path. */
  readonly mount: string;
  /** Rest of the path under the mount, decoded bytes. PATH_INFO. */
  readonly path: string;
  /** What follows `?`, not decoded; may be `""`. */
  readonly query: string;
  /** `"HTTP/1.1"`, `"HTTP/2.0"`, as in SERVER_PROTOCOL. */
  readonly protocol: string;
  /** Header fields; client spellings of identity headers are already gone (R-H18). */
  readonly headers: HeaderList;
  /** The body; a socket's is empty. */
  readonly body: RequestBody;
  /** The peer, after trusted forwarding headers; `null` when not known. */
  readonly client: Address | null;
  /** Where the request arrived: name and port as the client sees them. */
  readonly server: Address;
  /** TLS facts; `null` without TLS. */
  readonly tls: TlsInfo | null;
  /** The user; set by a layer (`withPrincipal`), never by a header. */
  readonly principal: Principal | null;
  /** Variables from a front server (fastcgi_param, SSL_*); never forwarded by themselves. */
  readonly params: ReadonlyMap<string, string>;
  /** Values that layers attached. */
  readonly state: RequestState;
  /** Fires when the peer is gone. */
  readonly signal: AbortSignal;
  /** One object per exchange, shared by all copies of the request. */
  readonly exchange: Exchange;
}

/** A request that wants a response. */
export interface HttpRequest extends RequestHead {
  readonly kind: "http";
}

/** A WebSocket opening (RFC 6455 §4.2): refuse it with a response, or accept it. */
export interface WebSocketRequest extends RequestHead {
  readonly kind: "websocket";
  /** Subprotocols the client offers, in its order of preference. */
  readonly subprotocols: readonly string[];
}

/** Everything a handler can be asked. */
export type GatewayRequest = HttpRequest | WebSocketRequest;

/** How an exchange ended. */
export interface Outcome {
  /** Status that was sent, or would have been had the peer stayed; a socket's is 101 once accepted. */
  readonly status: number;
  /** Body bytes handed to the peer, before any transfer coding. */
  readonly bytesSent: number;
  /** `"sent"`: whole. `"cut"`: broken off by us or by the app. `"gone"`: the peer left first. */
  readonly result: "sent" | "cut" | "gone";
  /** The error behind `"cut"`, or the one that became a 5xx answer; else `null`. */
  readonly error: unknown;
}

/** One object per exchange, shared by all copies of its request. */
export interface Exchange {
  /** Unique id, made on first use. */
  readonly id: string;
  /** Logger that names the exchange. */
  readonly log: Logger;
  /** Limit of the request body in bytes; settable by mounts and layers until the body is first read (R-H7). */
  maxBodyBytes: number;
  /** Sends a 103 Early Hints head (RFC 8297). Absent where the carrier cannot. */
  inform?(headers: HeaderList): void;
  /**
   * Runs a request through the whole gateway again: local redirects, X-Accel-Redirect.
   *
   * @throws GatewayError `GW_DISPATCH_DEPTH` beyond 10 deep (R-C8).
   */
  dispatch(request: HttpRequest): MaybePromise<Answer>;
  /** Calls the function once when the exchange has ended, however it ended; sockets too. Errors are logged. */
  onEnd(fn: (outcome: Outcome) => MaybePromise<void>): void;
}
