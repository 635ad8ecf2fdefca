// A WebSocket to an upstream, from the opening on: `ws` writes the handshake and speaks the frames (RFC 6455 §4.1).
import type { ClientRequest, IncomingMessage } from "node:http";
import type { HeaderList } from "@gw/core";
import { WebSocket } from "ws";
import type { ProxyWebSocketOptions } from "./proxy-options.ts";
import { MAX_HEAD_BYTES, type ProxyUpstream, type UpstreamHead } from "./proxy-upstream.ts";
import { maxFragments } from "./websocket-open.ts";
import { type Closure, SocketPeer } from "./websocket-peer.ts";
import { SocketWatch } from "./websocket-watch.ts";

/** What an opening asks an upstream. */
export interface ProxySocketParts {
  readonly upstream: ProxyUpstream;
  readonly head: UpstreamHead;
  /** Subprotocols that the client offers. */
  readonly offered: readonly string[];
  readonly settings: Required<ProxyWebSocketOptions>;
  /** Longest time in which the upstream takes nothing of what is sent, milliseconds. */
  readonly stallMs: number;
}

/** A WebSocket to an upstream. */
export class ProxySocket {
  /** The opening, of which nothing is sent yet; gone once the socket is open, which may be for days. */
  outgoing: ClientRequest | null = null;
  /** The subprotocol that the upstream chose. */
  subprotocol: string | null = null;
  readonly #webSocket: WebSocket;
  readonly #settings: Required<ProxyWebSocketOptions>;
  readonly #stallMs: number;
  #peer: SocketPeer | null = null;
  #watch: SocketWatch | null = null;
  #hasFailed = false;

  constructor({ upstream, head, offered, settings, stallMs }: ProxySocketParts) {
    this.#settings = settings;
    this.#stallMs = stallMs;
    this.#webSocket = new WebSocket("ws://upstream/", [], {
      ...{ setHost: false, maxHeaderSize: MAX_HEAD_BYTES }, // of node:http, not in the types of ws
      ...{ closeTimeout: settings.closeTimeoutMs, maxFragments: maxFragments(settings.maxMessageBytes) },
      createConnection: (() => upstream.connect()) as never,
      headers: fieldsOf(head.headers),
      maxPayload: settings.maxMessageBytes,
      perMessageDeflate: false,
      finishRequest: (request) => {
        request.path = head.path; // as it is: `ws` would make a URL of it and encode it anew
        request.maxHeadersCount = 0;
        this.outgoing = request;
      },
    });
    this.#webSocket.on("unexpected-response", () => {}); // a refusal: whoever listens to `outgoing` reads it
    this.#webSocket.on("upgrade", (res) => this.#chooseSubprotocol(res, offered));
    this.#webSocket.once("open", () => this.#onOpen());
    this.#webSocket.on("error", () => {
      this.#hasFailed = true;
    });
  }

  /** Whether the upstream has accepted, and nothing has ended it. */
  get isOpen(): boolean {
    return this.#webSocket.readyState === WebSocket.OPEN;
  }

  /** The messages; once it is open. */
  get peer(): SocketPeer {
    return this.#peer as SocketPeer;
  }

  /** How the upstream ended it; `null` if there was no closing handshake that it is to be judged by. */
  async closure(): Promise<Closure | null> {
    const closure = await this.peer.closed;
    return this.#hasFailed || closure.code === 1006 ? null : closure;
  }

  /** Ends it the way the client did. */
  leave({ code, reason }: Closure): void {
    if (code === 1006) this.cut();
    else if (code === 1005) this.#webSocket.close();
    else this.#webSocket.close(code, reason);
  }

  /** Ends it at once. */
  cut(): void {
    this.#webSocket.terminate();
  }

  /** Looks at the time limits. */
  check(nowMs: number): void {
    this.#watch?.check(nowMs);
  }

  /** `ws` refuses an opening that offers subprotocols and gets none, which is an ordinary answer: it was told of none. */
  #chooseSubprotocol({ headers }: IncomingMessage, offered: readonly string[]): void {
    const chosen = headers["sec-websocket-protocol"];
    if (chosen === undefined || !offered.includes(chosen)) return; // one that was not offered `ws` refuses
    this.subprotocol = chosen;
    delete headers["sec-websocket-protocol"];
  }

  /** Before the first message is read. */
  #onOpen(): void {
    this.outgoing = null;
    const { maxUnreadBytes, sendBufferBytes, pingIntervalMs } = this.#settings;
    const pace = { maxUnreadBytes, sendBufferBytes, maxUnsentBytes: Number.POSITIVE_INFINITY, compression: false };
    this.#peer = new SocketPeer(this.#webSocket, null, pace);
    this.#watch = new SocketWatch(this.#webSocket, { pingIntervalMs, stallMs: this.#stallMs });
  }
}

/** Fields as `ws` takes them: one entry for each name, so that lines that repeat it stay apart. */
function fieldsOf(headers: HeaderList): Record<string, string> {
  const fields = new Map<string, [name: string, values: string[]]>();
  for (const [name, value] of headers) {
    const known = fields.get(name.toLowerCase());
    if (known === undefined) fields.set(name.toLowerCase(), [name, [value]]);
    else known[1].push(value);
  }
  return Object.fromEntries(
    Array.from(fields.values(), ([name, values]) => [name, values.length === 1 ? values[0] : values]),
  ) as Record<string, string>;
}
