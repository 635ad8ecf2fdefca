// Answers that watch how they are sent, and that they are closed exactly once.
import { contentLength } from "../headers/content-length.ts";
import type { GatewayRequest } from "../model/request.ts";
import type { Answer, HttpResponse, WebSocketAccept, WebSocketPeer } from "../model/response.ts";
import { show } from "./found.ts";
import { lintedBody, type Tell } from "./linted-body.ts";
import { use } from "./use-rules.ts";

/** The same answer, watched and frozen. */
export function lintedAnswer(answer: Answer, request: GatewayRequest, tell: Tell): Answer {
  const { close, isClosed } = watchClose(answer, request, tell);
  const watched = answer.kind === "response" ? withBody(answer, isClosed, tell) : withRun(answer, isClosed, tell);
  return Object.freeze(close === undefined ? watched : { ...watched, close });
}

function withBody(answer: HttpResponse, isClosed: () => boolean, tell: Tell): HttpResponse {
  const { body, headers } = answer;
  return { ...answer, body: lintedBody(body, { length: contentLength(headers, 500), isClosed, tell }) };
}

function withRun(answer: WebSocketAccept, isClosed: () => boolean, tell: Tell): WebSocketAccept {
  let runs = 0;
  return {
    ...answer,
    run(peer) {
      if (++runs > 1) tell("outer", use.run, "it is run again");
      if (isClosed()) tell("outer", use.run, "it is run after close");
      return answer.run(lintedPeer(peer, tell));
    },
  };
}

function lintedPeer(peer: WebSocketPeer, tell: Tell): WebSocketPeer {
  return {
    send(message: unknown) {
      if (typeof message !== "string" && !(message instanceof Uint8Array)) tell("inner", use.message, show(message));
      return peer.send(message as string | Uint8Array);
    },
    close: (code, reason) => peer.close(code, reason),
    closed: peer.closed,
    [Symbol.asyncIterator]: () => peer[Symbol.asyncIterator](),
  };
}

interface CloseWatch {
  readonly close?: () => ReturnType<NonNullable<Answer["close"]>>;
  readonly isClosed: () => boolean;
}

function watchClose(answer: Answer, { exchange }: GatewayRequest, tell: Tell): CloseWatch {
  if (answer.close === undefined) return { isClosed: () => false };
  let calls = 0;
  let isListening = false;
  exchange.onEnd(() => {
    // Where the exchange had ended before the answer came, its end says nothing of this answer.
    if (isListening && calls === 0) tell("outer", use.closed, "it was dropped");
  });
  isListening = true;
  return {
    isClosed: () => calls > 0,
    close() {
      if (++calls > 1) tell("outer", use.closeOnce, "it is closed again");
      return answer.close?.();
    },
  };
}
