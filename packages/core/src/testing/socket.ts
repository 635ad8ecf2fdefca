// One WebSocket in memory: the opening, the conversation, the end.
import { encodeText } from "../bytes/byte-string.ts";
import { scrubIdentity } from "../headers/identity.ts";
import { isGatewayError } from "../model/errors.ts";
import { HeaderList } from "../model/headers.ts";
import type { Outcome } from "../model/request.ts";
import type { WebSocketAccept, WebSocketPeer } from "../model/response.ts";
import type { Runtime } from "../pipeline/runtime.ts";
import { type TestSocketInit, testSocket } from "./builders.ts";
import { MemoryExchange, receive, type TestResponse } from "./exchange.ts";
import { socketPair, type TestSocketClient } from "./peer.ts";

/** A socket as the client has it. */
export interface TestSocket extends TestSocketClient {
  /** The refusal; `null` if the opening was accepted. Then the client's methods work. */
  readonly response: TestResponse | null;
  /** The subprotocol that the app chose, or `null`. */
  readonly subprotocol: string | null;
  /** Fields of the accepting answer. */
  readonly headers: HeaderList;
  /** Settles when the app's conversation is over and the exchange has ended. */
  readonly ended: Promise<Outcome>;
}

/** Opens a socket to a started app. */
export async function openTestSocket(runtime: Runtime, target: string, init: TestSocketInit): Promise<TestSocket> {
  const exchange = new MemoryExchange(runtime);
  const opening = testSocket(target, { ...init, exchange });
  const request = { ...opening, headers: scrubIdentity(opening.headers) };
  const answer = await runtime.answer(request);
  if (answer.kind === "response") return refused(await receive(answer, request, exchange, undefined));
  const { peer, client } = socketPair();
  const ended = converse(answer, peer).then((outcome) => {
    exchange.end(outcome);
    return outcome;
  });
  return { ...client, response: null, subprotocol: answer.subprotocol, headers: answer.headers, ended };
}

async function converse(answer: WebSocketAccept, peer: WebSocketPeer): Promise<Outcome> {
  let bytesSent = 0;
  const counting: WebSocketPeer = {
    send(message) {
      bytesSent += typeof message === "string" ? encodeText(message).length : message.length;
      return peer.send(message);
    },
    close: (code, reason) => peer.close(code, reason),
    closed: peer.closed,
    [Symbol.asyncIterator]: () => peer[Symbol.asyncIterator](),
  };
  let failure: { error: unknown } | null = null;
  try {
    await answer.run(counting);
    await peer.close(1000);
  } catch (error) {
    // The client has closed; the app noticed when it sent.
    if (!isGatewayError(error, "GW_WEBSOCKET_CLOSED")) failure = { error };
    await peer.close(1011);
  }
  try {
    await answer.close?.();
  } catch (error) {
    failure ??= { error };
  }
  const { code } = await peer.closed;
  if (code === 1006) return { status: 101, bytesSent, result: "gone", error: null };
  return { status: 101, bytesSent, result: failure === null ? "sent" : "cut", error: failure?.error ?? null };
}

function refused(response: TestResponse): TestSocket {
  const no = (): never => {
    throw new TypeError(`the opening was refused with ${response.status}`);
  };
  return {
    response,
    subprotocol: null,
    headers: HeaderList.empty,
    ended: Promise.resolve(response.outcome),
    send: no,
    receive: async () => no(),
    close: () => {},
    cut: () => {},
    closed: Promise.resolve({ code: 1006, reason: "" }),
  };
}
