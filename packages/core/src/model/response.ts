// Answers: plain records with own properties only. A constant answer can be shared by all requests.
import type { ResponseBody } from "./body.ts";
import type { HeaderList } from "./headers.ts";
import type { MaybePromise } from "./maybe-promise.ts";

/** A response (RFC 9110 §15). */
export interface HttpResponse {
  readonly kind: "response";
  /** Final status, 200 to 599. */
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: ResponseBody;
  /** Asked for once the body has been sent; `null`: none. */
  readonly trailers?: () => HeaderList | null;
  /** Called exactly once: at the end, on error, on abort, or when the body is never read. */
  readonly close?: () => MaybePromise<void>;
}

/** Accepts a WebSocket opening. */
export interface WebSocketAccept {
  readonly kind: "accept";
  /** One of the offered subprotocols, or `null`. */
  readonly subprotocol: string | null;
  /** Further fields for the opening's answer, `Set-Cookie` for example. */
  readonly headers: HeaderList;
  /** The conversation; the socket is closed with 1000 when it returns, 1011 when it throws. */
  readonly run: (peer: WebSocketPeer) => Promise<void>;
  /** Called exactly once, also when `run` is never called. */
  readonly close?: () => MaybePromise<void>;
}

/** What a handler answers. */
export type Answer = HttpResponse | WebSocketAccept;

/** One message of a socket (RFC 6455 §5.6). */
export interface WebSocketMessage {
  /** Whether it was sent as text. */
  readonly isText: boolean;
  /** The payload; text as UTF-8. */
  readonly bytes: Uint8Array;
  /** The payload as text. */
  text(): string;
}

/** The other side of a socket. Iterate it for messages; the iteration ends when the socket closes. */
export interface WebSocketPeer extends AsyncIterable<WebSocketMessage> {
  /** Sends a message; waits for the client when its buffer is full. A string is sent as text. */
  send(message: string | Uint8Array): MaybePromise<void>;
  /** Starts the closing handshake (RFC 6455 §7). @default code 1000 */
  close(code?: number, reason?: string): Promise<void>;
  /** Settles when the socket has closed; code 1006 when it was cut. Never rejects. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}
