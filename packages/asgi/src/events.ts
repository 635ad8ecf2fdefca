// The events of ASGI: HTTP and WebSocket message format 2.5, lifespan 2.0, and the extensions.
import type { HeaderPair } from "./scopes.ts";

/** A part of the request body. */
export interface HttpRequestEvent {
  readonly type: "http.request";
  readonly body: Uint8Array;
  /** Whether another part follows. */
  readonly more_body: boolean;
}

/** The response is over, or the client has gone. */
export interface HttpDisconnectEvent {
  readonly type: "http.disconnect";
}

/** A client opens a socket: answer with accept, close or a denial response. */
export interface WebSocketConnectEvent {
  readonly type: "websocket.connect";
}

/** A message: exactly one of the two keys holds it. */
export type WebSocketReceiveEvent =
  | { readonly type: "websocket.receive"; readonly text: string; readonly bytes?: null }
  | { readonly type: "websocket.receive"; readonly bytes: Uint8Array; readonly text?: null };

/** The socket has closed; 1005 if no code came, 1006 if it was cut. */
export interface WebSocketDisconnectEvent {
  readonly type: "websocket.disconnect";
  readonly code: number;
  readonly reason: string;
}

/** Start up, before the first connection. */
export interface LifespanStartupEvent {
  readonly type: "lifespan.startup";
}

/** Shut down, after the last connection. */
export interface LifespanShutdownEvent {
  readonly type: "lifespan.shutdown";
}

/** Everything `receive` gives. */
export type ReceiveEvent =
  | HttpRequestEvent
  | HttpDisconnectEvent
  | WebSocketConnectEvent
  | WebSocketReceiveEvent
  | WebSocketDisconnectEvent
  | LifespanStartupEvent
  | LifespanShutdownEvent;

/** Begins the response; nothing is sent before the first body event. */
export interface HttpResponseStartEvent {
  readonly type: "http.response.start";
  /** 200 to 599. */
  readonly status: number;
  /** Names in lower case. Transfer-Encoding is ignored, other hop-by-hop fields are refused. @default none */
  readonly headers?: Iterable<HeaderPair>;
  /** Whether `http.response.trailers` follows the body. @default false */
  readonly trailers?: boolean;
}

/** A part of the body. The bytes belong to the server from here on. */
export interface HttpResponseBodyEvent {
  readonly type: "http.response.body";
  /** @default empty */
  readonly body?: Uint8Array;
  /** Whether another part follows. @default false */
  readonly more_body?: boolean;
}

/** Trailer fields (extension `http.response.trailers`); sent if the client accepts them (`TE: trailers`). */
export interface HttpResponseTrailersEvent {
  readonly type: "http.response.trailers";
  readonly headers?: Iterable<HeaderPair>;
  /** Whether another such event follows. @default false */
  readonly more_trailers?: boolean;
}

/** The whole body is this file (extension `http.response.pathsend`). */
export interface HttpResponsePathsendEvent {
  readonly type: "http.response.pathsend";
  /** Absolute path. The server checks nothing: never make it of what a client sent. */
  readonly path: string;
}

/** A part of the body is (a part of) an open file (extension `http.response.zerocopysend`). */
export interface HttpResponseZerocopysendEvent {
  readonly type: "http.response.zerocopysend";
  /** A descriptor, or a `FileHandle`. The app closes it after the event was sent. */
  readonly file: number | { readonly fd: number };
  /** First byte. @default where the file stands */
  readonly offset?: number;
  /** Number of bytes. @default up to the end */
  readonly count?: number;
  /** Whether another part follows. @default false */
  readonly more_body?: boolean;
}

/** A 103 answer (extension `http.response.early_hint`); ignored once the head is out. */
export interface HttpResponseEarlyHintEvent {
  readonly type: "http.response.early_hint";
  /** Values of Link fields (RFC 8288). */
  readonly links: Iterable<Uint8Array>;
}

/** Facts for tests (extension `http.response.debug`), before the response starts. */
export interface HttpResponseDebugEvent {
  readonly type: "http.response.debug";
  readonly info: Readonly<Record<string, unknown>>;
}

/** Accepts the socket. */
export interface WebSocketAcceptEvent {
  readonly type: "websocket.accept";
  /** One of those the client offers. @default none */
  readonly subprotocol?: string | null;
  /** Further fields of the opening's answer. @default none */
  readonly headers?: Iterable<HeaderPair>;
}

/** Sends a message: exactly one of the two keys holds it. */
export interface WebSocketSendEvent {
  readonly type: "websocket.send";
  readonly bytes?: Uint8Array | null;
  readonly text?: string | null;
}

/** Closes the socket; before accept: refuses it with 403. */
export interface WebSocketCloseEvent {
  readonly type: "websocket.close";
  /** @default 1000 */
  readonly code?: number;
  /** @default empty */
  readonly reason?: string | null;
}

/** Begins an answer that refuses the socket (extension `websocket.http.response`). */
export interface WebSocketResponseStartEvent {
  readonly type: "websocket.http.response.start";
  readonly status: number;
  readonly headers?: Iterable<HeaderPair>;
}

/** A part of the refusing answer's body. */
export interface WebSocketResponseBodyEvent {
  readonly type: "websocket.http.response.body";
  readonly body?: Uint8Array;
  readonly more_body?: boolean;
}

/** The app is ready. */
export interface LifespanStartupCompleteEvent {
  readonly type: "lifespan.startup.complete";
}

/** The app cannot start: the gateway logs the message and stops. */
export interface LifespanStartupFailedEvent {
  readonly type: "lifespan.startup.failed";
  readonly message?: string;
}

/** The app has cleaned up. */
export interface LifespanShutdownCompleteEvent {
  readonly type: "lifespan.shutdown.complete";
}

/** The app could not clean up. */
export interface LifespanShutdownFailedEvent {
  readonly type: "lifespan.shutdown.failed";
  readonly message?: string;
}

/** Everything `send` takes. `http.response.push` is not among them: browsers have dropped server push. */
export type SendEvent =
  | HttpResponseStartEvent
  | HttpResponseBodyEvent
  | HttpResponseTrailersEvent
  | HttpResponsePathsendEvent
  | HttpResponseZerocopysendEvent
  | HttpResponseEarlyHintEvent
  | HttpResponseDebugEvent
  | WebSocketAcceptEvent
  | WebSocketSendEvent
  | WebSocketCloseEvent
  | WebSocketResponseStartEvent
  | WebSocketResponseBodyEvent
  | LifespanStartupCompleteEvent
  | LifespanStartupFailedEvent
  | LifespanShutdownCompleteEvent
  | LifespanShutdownFailedEvent;
