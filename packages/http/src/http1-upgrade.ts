// WebSocket openings over HTTP/1.1: refused with an ordinary response, or handed to `ws`.
import { type IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { HttpResponse, WebSocketAccept } from "@gw/core";
import type { ClientLoad } from "./client-counts.ts";
import type { Generation } from "./generation.ts";
import { readHttp1Head } from "./http1-head.ts";
import { type Http1Parts, Http1Sender } from "./http1-sender.ts";
import { checkLoad, type HttpLimits } from "./limits.ts";
import type { Peer } from "./peer.ts";
import { applyRules, type RequestFacts, type RequestRules } from "./request-rules.ts";
import { readHandshake } from "./websocket-handshake.ts";
import type { WebSocketOpener } from "./websocket-open.ts";
import { askForSocket, checkOrigin } from "./websocket-request.ts";
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
  #options: UpgradeOptions | null;
  #session: WebSocketSession | null = null;

  constructor(parts: Omit<Http1Parts, "res">, options: UpgradeOptions) {
    super({ ...parts, res: NONE }, 0, false);
    this.#options = options;
  }

  /** Asks the app, then refuses or opens. */
  run(facts: RequestFacts, subprotocols: readonly string[]): void {
    // While the app decides nobody else reads the socket: its end would go unseen.
    this.link.socket.once("end", this.#onEnd);
    const opening = {
      exchange: this,
      facts,
      protocol: "HTTP/1.1",
      tls: this.link.tls,
      subprotocols,
    } as const;
    askForSocket(opening, { refuse: (answer) => this.#refuse(answer), accept: (answer) => this.#open(answer) });
  }

  check(nowMs: number): void {
    this.#session?.check(nowMs);
  }

  override abort(): void {
    if (this.#session === null) super.abort();
  }

  readonly #onEnd = (): void => {
    this.abort();
    this.link.cut();
  };

  #refuse(answer: HttpResponse): void {
    this.res = responseFor(this.req, this.link.socket);
    this.res.shouldKeepAlive = false;
    this.res.once("finish", () => this.link.closeGently());
    try {
      this.send(answer);
    } catch (error) {
      this.closeAnswer(answer);
      this.breakOff(error);
    }
  }

  #open(accept: WebSocketAccept): void {
    const { settings, opener, head } = this.#options as UpgradeOptions;
    const { socket } = this.link;
    socket.removeListener("end", this.#onEnd);
    const webSocket = this.isGone ? null : opener.open({ req: this.req, socket, head }, accept);
    if (webSocket === null) {
      this.closeAnswer(accept);
      this.end({ status: 101, bytesSent: 0, result: "gone", error: null });
      return;
    }
    // A socket may stay open for days: what its opening needed does not.
    this.req = NONE;
    this.#options = null;
    const { writeTimeoutMs } = this.link.limits;
    this.#session = new WebSocketSession(webSocket, socket, { exchange: this, accept, settings, writeTimeoutMs });
    this.#session.run();
  }
}

/** Stands for objects that are not there yet, or not there any more. */
const NONE = null as never;

/** What an opening is checked against. */
export interface UpgradeRules {
  readonly limits: HttpLimits;
  readonly rules: RequestRules;
  readonly webSocket: WebSocketSettings;
  readonly generation: Generation;
  readonly clients: ClientLoad;
}

/**
 * Checks an opening before any app sees it.
 *
 * @throws GatewayError what `readHttp1Head`, `applyRules`, `readHandshake`, `checkOrigin` and `checkLoad` throw.
 */
export function readUpgrade(
  req: IncomingMessage,
  peer: Peer,
  checks: UpgradeRules,
): { facts: RequestFacts; subprotocols: readonly string[] } {
  const { host, length } = readHttp1Head(req, checks.limits);
  const facts = applyRules(
    { method: "GET", target: req.url as string, authority: host, flat: req.rawHeaders },
    peer,
    checks.rules,
  );
  const { subprotocols } = readHandshake(facts.headers, length);
  checkOrigin(facts, checks.webSocket);
  checkLoad(checks, facts.client);
  return { facts, subprotocols };
}

/** A response object for an opening: node:http makes none. */
export function responseFor(req: IncomingMessage, socket: Socket): ServerResponse {
  const res = new ServerResponse(req);
  res.assignSocket(socket);
  // node:http's own listener is gone with the parser.
  socket.on("drain", () => res.emit("drain"));
  return res;
}
