// Handlers for one kind of request.
import { encodeText } from "../bytes/byte-string.ts";
import type { Handler } from "../model/app.ts";
import { type HeaderInit, HeaderList } from "../model/headers.ts";
import type { MaybePromise } from "../model/maybe-promise.ts";
import type { HttpRequest, WebSocketRequest } from "../model/request.ts";
import type { Answer, HttpResponse, WebSocketAccept } from "../model/response.ts";

/** A handler for plain requests; a WebSocket opening is answered 400. */
export function http(fn: (request: HttpRequest) => MaybePromise<Answer>): Handler {
  return (request) => (request.kind === "http" ? fn(request) : noSockets);
}

/**
 * A handler for WebSocket openings; a plain request is answered 426 (RFC 9110 §15.5.22).
 *
 * Answer with `accept(…)`, or refuse with a response.
 */
export function webSocket(fn: (request: WebSocketRequest) => MaybePromise<Answer>): Handler {
  return (request) => (request.kind === "websocket" ? fn(request) : upgradeRequired);
}

/** What `accept` may be told. */
export interface AcceptOptions {
  /** One of `request.subprotocols`. @default null */
  subprotocol?: string | null;
  /** Further fields for the opening's answer. */
  headers?: HeaderInit;
}

/** Accepts a socket: `run` is the conversation; the socket closes when it returns. */
export function accept(
  run: WebSocketAccept["run"],
  { subprotocol = null, headers }: AcceptOptions = {},
): WebSocketAccept {
  return {
    kind: "accept",
    subprotocol,
    headers: headers === undefined ? HeaderList.empty : HeaderList.from(headers),
    run,
  };
}

/** The answer of a handler that knows plain requests only. */
export const noSockets: HttpResponse = plain(400, "400 Bad Request\nthis address does not speak WebSocket\n");
const upgradeRequired = plain(426, "426 Upgrade Required\nthis address speaks WebSocket only\n");

function plain(status: number, body: string): HttpResponse {
  const headers = HeaderList.from({ "Content-Type": "text/plain; charset=utf-8" });
  return { kind: "response", status, headers, body: encodeText(body) };
}
