// The request that a WebSocket opening is, and the answer it gets.
import {
  type Answer,
  andThen,
  emptyBody,
  emptyState,
  errorAnswer,
  GatewayError,
  type HttpResponse,
  isPromise,
  socketAnswer,
  type TlsInfo,
  type WebSocketAccept,
  type WebSocketRequest,
} from "@gw/core";
import type { HttpExchange } from "./exchange.ts";
import type { RequestFacts } from "./request-rules.ts";
import { checkAccept } from "./websocket-open.ts";
import type { Opening } from "./websocket-origin.ts";
import type { WebSocketSettings } from "./websocket-settings.ts";

/** What an opening is made of. */
export interface OpeningRequest {
  readonly exchange: HttpExchange;
  readonly facts: RequestFacts;
  readonly protocol: "HTTP/1.1" | "HTTP/2.0";
  readonly tls: TlsInfo | null;
  readonly subprotocols: readonly string[];
}

/** What becomes of an opening. */
export interface Decision {
  readonly refuse: (answer: HttpResponse) => void;
  readonly accept: (answer: WebSocketAccept) => void;
}

/** Asks the app whether a socket may be opened; exactly one of the two ways is taken. */
export function askForSocket(opening: OpeningRequest, { refuse, accept }: Decision): void {
  const { exchange } = opening;
  const request = socketRequest(opening);
  const answered = (answer: Answer): void => {
    if (answer.kind === "response") return refuse(exchange.sendable(answer, request));
    try {
      checkAccept(answer, request.subprotocols);
    } catch (error) {
      exchange.closeAnswer(answer);
      return refuse(errorAnswer(error, request));
    }
    accept(answer);
  };
  const answer = andThen(exchange.generation.runtime.answer(request), socketAnswer);
  if (isPromise(answer)) answer.then(answered);
  else answered(answer);
}

function socketRequest({ exchange, facts, protocol, tls, subprotocols }: OpeningRequest): WebSocketRequest {
  const { target, mount, path, query, scheme, headers, client, server, params } = facts;
  return {
    kind: "websocket",
    method: "GET", // on HTTP/2 it was CONNECT (RFC 8441 §4): apps need not know
    scheme,
    target,
    mount,
    path,
    query,
    protocol,
    headers,
    body: emptyBody,
    client,
    server,
    tls,
    principal: null,
    params,
    state: emptyState,
    signal: exchange.controller.signal,
    exchange,
    subprotocols,
  };
}

/**
 * Checks where an opening comes from (R-H14).
 *
 * @throws GatewayError `GW_WEBSOCKET_ORIGIN` (403)
 */
export function checkOrigin({ headers, scheme, server }: RequestFacts, { isAllowedOrigin }: WebSocketSettings): void {
  const opening: Opening = { origin: headers.get("origin"), scheme, server };
  if (!isAllowedOrigin(opening))
    throw new GatewayError("GW_WEBSOCKET_ORIGIN", 403, "this origin may not open WebSockets here");
}
