// WebSocket openings over HTTP/2: extended CONNECT (RFC 8441). Apps see the same request as over HTTP/1.1.
import type { IncomingMessage } from "node:http";
import type { WebSocketAccept } from "@gw/core";
import { Http2Sender } from "./http2-sender.ts";
import { Http2Tunnel } from "./http2-tunnel.ts";
import type { RequestFacts } from "./request-rules.ts";
import type { WebSocketOpener } from "./websocket-open.ts";
import { askForSocket } from "./websocket-request.ts";
import { WebSocketSession } from "./websocket-session.ts";

/** The exchange of a WebSocket over HTTP/2. */
export class Http2Upgrade extends Http2Sender {
  #session: WebSocketSession | null = null;

  /** Asks the app, then refuses or opens. */
  run(facts: RequestFacts, subprotocols: readonly string[], opener: WebSocketOpener): void {
    const opening = {
      exchange: this,
      facts,
      protocol: "HTTP/2.0",
      tls: this.connection.tls,
      subprotocols,
    } as const;
    askForSocket(opening, {
      refuse: (answer) => this.send(answer, false),
      accept: (answer) => this.#open(answer, facts, opener),
    });
  }

  override onClose(): void {
    if (this.#session === null) super.onClose();
  }

  override cut(): void {
    if (this.#session === null) super.cut();
    else this.#session.cut();
  }

  override check(nowMs: number): void {
    if (this.#session === null) super.check(nowMs);
    else this.#session.check(nowMs);
  }

  #open(accept: WebSocketAccept, { headers }: RequestFacts, opener: WebSocketOpener): void {
    const { webSocket: settings, limits } = this.connection.state;
    const tunnel = new Http2Tunnel(this.stream);
    const isGone = this.stream.closed || this.stream.destroyed;
    const parts = {
      req: http1Opening(headers.get.bind(headers)),
      socket: tunnel,
      head: Buffer.alloc(0),
    };
    const webSocket = isGone ? null : opener.open(parts, accept);
    if (webSocket === null) {
      this.closeAnswer(accept);
      this.end({ status: 101, bytesSent: 0, result: "gone", error: null });
      return;
    }
    this.#session = new WebSocketSession(webSocket, tunnel, {
      exchange: this,
      accept,
      settings,
      writeTimeoutMs: limits.writeTimeoutMs,
    });
    this.#session.run();
  }
}

/** The opening as `ws` wants to see it. The key proves nothing on HTTP/2 (RFC 8441 §5), so any will do. */
function http1Opening(get: (name: string) => string | null): IncomingMessage {
  const headers: Record<string, string> = {
    upgrade: "websocket",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "sec-websocket-version": "13",
  };
  for (const name of ["sec-websocket-protocol", "sec-websocket-extensions"]) {
    const value = get(name);
    if (value !== null) headers[name] = value;
  }
  return { method: "GET", headers } as unknown as IncomingMessage;
}
