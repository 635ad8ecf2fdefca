// One request of a handler under an ASGI server.
import {
  contentLength,
  discard,
  emptyBody,
  emptyState,
  type HttpRequest,
  type HttpResponse,
  incomingBody,
  type RequestBody,
  type Runtime,
} from "@gw/core";
import type { Receive, Send } from "./app.ts";
import { disconnectedError } from "./errors.ts";
import { readScope, type ScopeHead } from "./read-scope.ts";
import { EventReader } from "./receive-body.ts";
import { ScopeExchange } from "./scope-exchange.ts";
import type { HttpScope } from "./scopes.ts";
import { sendAnswer } from "./send-answer.ts";

/**
 * Answers an http scope.
 *
 * @throws what cut the body off, so that the server cuts the response off, too
 */
export async function serveHttp(runtime: Runtime, scope: HttpScope, receive: Receive, send: Send): Promise<void> {
  const exchange = new ScopeExchange(runtime, scope, send);
  const events = new EventReader(receive);
  const head = readScope(scope);
  const { signal } = events;
  const body = bodyOf(head, exchange, events);
  if (body.length === 0) events.watch();
  const request: HttpRequest = { ...head, kind: "http", body, state: emptyState, signal, exchange };
  // Runtime.answer gives nothing else for a plain request.
  const answer = (await runtime.answer(request)) as HttpResponse;
  if (signal.aborted) {
    await discard(answer);
    exchange.end({ status: answer.status, bytesSent: 0, result: "gone", error: null });
    return;
  }
  const hasTrailers = scope.extensions?.["http.response.trailers"] !== undefined;
  const isHead = request.method === "HEAD";
  const outcome = await sendAnswer(answer, { send, signal, protocol: "http", isHead, hasTrailers });
  events.end();
  exchange.end(outcome);
  if (outcome.result === "cut") throw outcome.error;
  if (outcome.result === "gone") throw disconnectedError();
}

/** HTTP/1.1 tells by a field that there is a body (RFC 9112 §6.3), HTTP/2 need not. */
function bodyOf({ headers, protocol }: ScopeHead, exchange: ScopeExchange, events: EventReader): RequestBody {
  const length = contentLength(headers);
  const hasBody = length !== null ? length > 0 : headers.has("transfer-encoding") || protocol === "HTTP/2.0";
  return hasBody ? incomingBody({ length, exchange, open: () => events.body() }) : emptyBody;
}
