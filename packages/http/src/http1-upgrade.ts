// WebSocket openings over HTTP/1.1: refused with an ordinary response, or handed to `ws`.
import { type IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import {
  type Answer,
  andThen,
  emptyBody,
  emptyState,
  errorAnswer,
  GatewayError,
  isPromise,
  socketAnswer,
  type WebSocketAccept,
  type WebSocketRequest,
} from "@gw/core";
import { noParams } from "./http1-exchange.ts";
import { type Http1Parts, Http1Sender } from "./http1-sender.ts";
import type { RequestFacts } from "./request-rules.ts";
import { checkAccept, type WebSocketOpener } from "./websocket-open.ts";
import { WebSocketSession } from "./websocket-session.ts";
import type { WebSocketSettings } from "./websocket-settings.ts";

/** What an opening needs beside the parts of every exchange. */
export interface UpgradeOptions {
  /** Bytes that came with the opening: the first frames. */
  readonly head: Buffer;
  readonly settings: WebSocketSettings;
  readonly opener: WebSocketOpener;
}

/** The exchange of a WebSocket over HTTP/1.1. */
export class Http1Upgrade extends Http1Sender {
  readonly #options: UpgradeOptions;
  #session: WebSocketSession | null = null;

  constructor(parts: Http1Parts, options: UpgradeOptions) {
    super(parts, 0, false);
    this.#options = options;
  }

  /** Asks the app, then refuses or opens. */
  run({ path, query, scheme, headers, client, server }: RequestFacts, subprotocols: readonly string[]): void {
    const { req } = this;
    const request: WebSocketRequest = {
      kind: "websocket",
      method: "GET",
      scheme,
      target: req.url as string,
      mount: "",
      path,
      query,
      protocol: "HTTP/1.1",
      headers,
      body: emptyBody,
      client,
      server,
      tls: this.link.tls,
      principal: null,
      params: noParams,
      state: emptyState,
      signal: this.controller.signal,
      exchange: this,
      subprotocols,
    };
    // While the app decides nobody else reads the socket: its end would go unseen.
    this.link.socket.once("end", this.#onEnd);
    const answer = andThen(this.generation.runtime.answer(request), socketAnswer);
    if (isPromise(answer)) answer.then((value) => this.#answered(value, request));
    else this.#answered(answer, request);
  }

  check(nowMs: number): void {
    this.#session?.check(nowMs);
  }

  override abort(): void {
    if (this.#session === null) super.abort();
  }

  #answered(answer: Answer, request: WebSocketRequest): void {
    if (answer.kind === "response") return this.#refuse(this.sendable(answer, request));
    try {
      checkAccept(answer, request.subprotocols);
    } catch (error) {
      this.closeAnswer(answer);
      return this.#refuse(errorAnswer(error, request));
    }
    this.#open(answer);
  }

  readonly #onEnd = (): void => {
    this.abort();
    this.link.cut();
  };

  #refuse(answer: Parameters<Http1Sender["send"]>[0]): void {
    this.res.shouldKeepAlive = false;
    this.res.once("finish", () => this.link.closeGently());
    this.send(answer);
  }

  #open(accept: WebSocketAccept): void {
    const { settings, opener, head } = this.#options;
    const { socket } = this.link;
    this.res.detachSocket(socket);
    socket.removeListener("end", this.#onEnd);
    const webSocket = this.isGone ? null : opener.open({ req: this.req, socket, head }, accept);
    if (webSocket === null) {
      this.closeAnswer(accept);
      this.end({ status: 101, bytesSent: 0, result: "gone", error: null });
      return;
    }
    this.#session = new WebSocketSession(webSocket, {
      exchange: this,
      accept,
      settings,
      writeTimeoutMs: this.link.limits.writeTimeoutMs,
    });
    this.#session.run();
  }
}

/** A response object for an opening: node:http makes none. */
export function responseFor(req: IncomingMessage, socket: Socket): ServerResponse {
  const res = new ServerResponse(req);
  res.assignSocket(socket);
  // node:http's own listener is gone with the parser.
  socket.on("drain", () => res.emit("drain"));
  return res;
}

/** The refusal of an Origin (R-H14). */
export function badOrigin(): GatewayError {
  return new GatewayError("GW_WEBSOCKET_ORIGIN", 403, "this origin may not open WebSockets here");
}
