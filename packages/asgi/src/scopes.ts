// The connection scopes of ASGI 3.0: HTTP and WebSocket message format 2.5, lifespan 2.0, TLS extension 0.2.
//
// The documents' "byte string" is a Uint8Array, their "Unicode string" a string.

/** A header: name in lower case, value, both as sent. */
export type HeaderPair = readonly [name: Uint8Array, value: Uint8Array];

/** Which versions of the documents the server speaks. */
export interface AsgiVersions {
  /** Version of ASGI. */
  readonly version: "3.0";
  /** Version of the protocol's own document: `"2.5"` for http and websocket, `"2.0"` for lifespan. */
  readonly spec_version: string;
}

/** What an http and a websocket scope have in common. Copy a scope to change it: `{ ...scope, root_path }`. */
interface ConnectionScope {
  readonly asgi: AsgiVersions;
  /** Path as text: percent-encoding and UTF-8 decoded, the mount included. */
  readonly path: string;
  /** Path as received, percent-encoded; never with the query. */
  readonly raw_path: Uint8Array;
  /** What follows `?`, not decoded; empty if there is none. */
  readonly query_string: Uint8Array;
  /** Where the app is mounted, as text; `""` at the root. */
  readonly root_path: string;
  /** Headers in order, repeats kept. The pairs are made when they are iterated. */
  readonly headers: Iterable<HeaderPair>;
  /** The peer; `null` when not known or on a unix socket. */
  readonly client: readonly [host: string, port: number] | null;
  /** Where the request arrived; a unix socket has its path and `null`. */
  readonly server: readonly [host: string, port: number | null] | null;
  /** A shallow copy of the lifespan's namespace. */
  readonly state: Record<string, unknown>;
  readonly extensions: Extensions;
}

/** Scope of one request. */
export interface HttpScope extends ConnectionScope {
  readonly type: "http";
  readonly http_version: "1.0" | "1.1" | "2";
  /** In upper case. */
  readonly method: string;
  readonly scheme: "http" | "https";
}

/** Scope of one socket, for as long as it lives. */
export interface WebSocketScope extends ConnectionScope {
  readonly type: "websocket";
  readonly http_version: "1.1" | "2";
  readonly scheme: "ws" | "wss";
  /** Subprotocols the client offers. */
  readonly subprotocols: readonly string[];
}

/** Scope of the app's life: from before the first request to after the last. */
export interface LifespanScope {
  readonly type: "lifespan";
  readonly asgi: AsgiVersions;
  /** A namespace the app fills; each request gets a shallow copy. */
  readonly state: Record<string, unknown>;
}

/** Everything an app is called with; tell them apart by `type`. */
export type Scope = HttpScope | WebSocketScope | LifespanScope;

/** Extensions the server offers for this connection; a missing key means that it does not. */
export interface Extensions {
  /** Interim 103 answers (`http.response.early_hint` events). */
  readonly "http.response.early_hint"?: EmptyExtension;
  /** Trailer fields after the body. */
  readonly "http.response.trailers"?: EmptyExtension;
  /** A body that is a file, by path. */
  readonly "http.response.pathsend"?: EmptyExtension;
  /** Parts of a body that are (parts of) an open file. */
  readonly "http.response.zerocopysend"?: EmptyExtension;
  /** Facts for tests; only when asked for. */
  readonly "http.response.debug"?: EmptyExtension;
  /** Refusing a socket with an answer of one's own. */
  readonly "websocket.http.response"?: EmptyExtension;
  /** Only on TLS connections. */
  readonly tls?: TlsExtension;
  /** The user that a layer established; absent if there is none. */
  readonly "gw.principal"?: PrincipalExtension;
  /** What a mount's `variables` gave, as text; absent if it gave nothing. */
  readonly "gw.variables"?: Readonly<Record<string, string>>;
  /** Fires when the client is gone: for `fetch` and other calls that take an AbortSignal. */
  readonly "gw.signal"?: AbortSignal;
  readonly [name: string]: unknown;
}

/** An extension without settings. */
export type EmptyExtension = Readonly<Record<never, never>>;

/** The user, as every interface of ours tells it: never taken from a header. */
export interface PrincipalExtension {
  /** REMOTE_USER. */
  readonly user: string;
  /** AUTH_TYPE. */
  readonly type: string;
  readonly groups: readonly string[];
  readonly claims: Readonly<Record<string, unknown>>;
}

/** The TLS extension's keys. */
export interface TlsExtension {
  /** Certificate of the server, PEM; `null`: not known here. */
  readonly server_cert: string | null;
  /** Certificates of the client, PEM, its own first; empty if it sent none. */
  readonly client_cert_chain: Iterable<string>;
  /** Distinguished name in the client's certificate (RFC 4514). */
  readonly client_cert_name: string | null;
  /** Why the client's certificate was not verified; `null`: it was, or there is none. */
  readonly client_cert_error: string | null;
  /** As in the TLS documents: `0x0304` is TLS 1.3. */
  readonly tls_version: number | null;
  /** The two bytes of the cipher suite: `0x1301` is TLS_AES_128_GCM_SHA256. */
  readonly cipher_suite: number | null;
}
