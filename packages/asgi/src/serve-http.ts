// One request of a handler under an ASGI server.
import {
  contentLength,
  discard,
  emptyBody,
  emptyState,
  errorAnswer,
  type HttpRequest,
  type HttpResponse,
  incomingBody,
  type RequestBody,
  type Runtime,
} from "@gw/core";
import type { Receive, Send } from "./app.ts";
import { disconnectedError } from "./errors.ts";
import { readScope } from "./read-scope.ts";
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
  const { signal } = events;
  const request: HttpRequest = {
    ...readScope(scope),
    kind: "http",
    body: emptyBody,
    state: emptyState,
    signal,
    exchange,
  };
  const answer = await answerTo(request, runtime, events);
  if (signal.aborted) {
    await discard(answer);
    exchange.end({ status: answer.status, bytesSent: 0, result: "gone", error: null });
    return;
  }
  const hasTrailers = scope.extensions?.["http.response.trailers"] !== undefined;
  const isHead = request.method === "HEAD";
  const outcome = await sendAnswer(answer, { send, signal, protocol: "http", isHead, hasTrailers });
  if (outcome.result === "gone") events.left(); // a body that nobody reads hides the disconnect behind it
  events.end();
  exchange.end(outcome);
  if (outcome.result === "cut") throw outcome.error;
  if (outcome.result === "gone") throw disconnectedError();
}

async function answerTo(request: HttpRequest, runtime: Runtime, events: EventReader): Promise<HttpResponse> {
  let body: RequestBody;
  try {
    body = bodyOf(request, events);
  } catch (error) {
    return errorAnswer(error, request);
  }
  if (body.length === 0) events.watch();
  // Runtime.answer gives nothing else for a plain request.
  return (await runtime.answer({ ...request, body })) as HttpResponse;
}

/**
 * HTTP/1.1 tells by a field that there is a body (RFC 9112 §6.3), HTTP/2 need not.
 *
 * @throws GatewayError `GW_CONTENT_LENGTH` (400)
 */
function bodyOf({ headers, protocol, exchange }: HttpRequest, events: EventReader): RequestBody {
  const length = contentLength(headers);
  const hasBody = length !== null ? length > 0 : headers.has("transfer-encoding") || protocol === "HTTP/2.0";
  return hasBody ? incomingBody({ length, exchange, open: () => events.body() }) : emptyBody;
}
