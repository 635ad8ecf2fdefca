// One socket of a handler under an ASGI server.
import {
  discard,
  emptyBody,
  emptyState,
  type HttpResponse,
  type Outcome,
  type Runtime,
  type WebSocketAccept,
  type WebSocketRequest,
} from "@gw/core";
import type { Receive, Send } from "./app.ts";
import { AsgiPeer } from "./asgi-peer.ts";
import { toPairs } from "./header-pairs.ts";
import { readScope } from "./read-scope.ts";
import { ScopeExchange } from "./scope-exchange.ts";
import type { WebSocketScope } from "./scopes.ts";
import { sendAnswer } from "./send-answer.ts";

/** Answers a websocket scope: accepts, or refuses with the answer if the server can send one, else with 403. */
export async function serveSocket(
  runtime: Runtime,
  scope: WebSocketScope,
  receive: Receive,
  send: Send,
): Promise<void> {
  await receive();
  const exchange = new ScopeExchange(runtime, scope, send);
  const gone = new AbortController();
  const request: WebSocketRequest = {
    ...readScope(scope),
    kind: "websocket",
    subprotocols: [...scope.subprotocols],
    body: emptyBody,
    state: emptyState,
    signal: gone.signal,
    exchange,
  };
  const answer = await runtime.answer(request);
  if (answer.kind === "response") {
    exchange.end(await refuse(answer, scope, send, gone.signal));
    return;
  }
  const peer = await accept(answer, receive, send);
  peer.closed.then(() => gone.abort());
  const outcome = await converse(answer, peer);
  exchange.end(outcome);
  if (outcome.error !== null) runtime.log.error({ err: outcome.error }, "the WebSocket's app failed");
}

async function refuse(answer: HttpResponse, scope: WebSocketScope, send: Send, signal: AbortSignal): Promise<Outcome> {
  if (scope.extensions?.["websocket.http.response"] !== undefined) {
    return sendAnswer(answer, { send, signal, protocol: "websocket.http", isHead: false, hasTrailers: false });
  }
  await discard(answer);
  await send({ type: "websocket.close" });
  return { status: 403, bytesSent: 0, result: "sent", error: null };
}

async function accept(answer: WebSocketAccept, receive: Receive, send: Send): Promise<AsgiPeer> {
  const { subprotocol, headers } = answer;
  try {
    await send({ type: "websocket.accept", subprotocol, headers: toPairs(headers) });
  } catch (error) {
    await discard(answer);
    throw error;
  }
  return new AsgiPeer(receive, send);
}

async function converse(answer: WebSocketAccept, peer: AsgiPeer): Promise<Outcome> {
  let failure: { error: unknown } | null = null;
  try {
    await answer.run(peer);
    await peer.close(1000);
  } catch (error) {
    const isOwn = !peer.isClosed;
    if (isOwn) failure = { error };
    await peer.close(1011).catch(() => {});
  } finally {
    await discard(answer);
  }
  const { code } = await peer.closed;
  const { bytesSent } = peer;
  if (failure !== null) return { status: 101, bytesSent, result: "cut", error: failure.error };
  return { status: 101, bytesSent, result: code === 1006 ? "gone" : "sent", error: null };
}
