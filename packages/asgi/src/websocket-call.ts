// One websocket call: connect, accept or refuse, messages, close.
import {
  type Answer,
  encodeText,
  HeaderList,
  type HttpResponse,
  isPromise,
  type MaybePromise,
  text,
  type WebSocketPeer,
  type WebSocketRequest,
} from "@gw/core";
import type { AsgiApp } from "./app.ts";
import { Deferred } from "./deferred.ts";
import { disconnectedError, eventError, isLeaving, orderError, rejected } from "./errors.ts";
import type { SendEvent, WebSocketAcceptEvent, WebSocketCloseEvent, WebSocketSendEvent } from "./events.ts";
import { readPairs } from "./header-pairs.ts";
import { type AppSettings, ResponseCall, SENT } from "./response-call.ts";
import type { WebSocketScope } from "./scopes.ts";
import { SocketEvents } from "./socket-events.ts";

const refused: HttpResponse = text("403 Forbidden\n", { status: 403 });

/** Runs an app for one socket. */
export class WebSocketCall extends ResponseCall<WebSocketRequest> {
  #state: "connecting" | "refused" | "accepted" | "closing" | "closed" = "connecting";
  /** The open socket; `null`: it was accepted, and never opened. */
  readonly #opening: Deferred<WebSocketPeer | null> = new Deferred();
  /** Settles as the app does. */
  readonly #finished: Deferred<void> = new Deferred();
  readonly #events: SocketEvents;
  /** The socket, once it is open. */
  #peer: WebSocketPeer | null = null;

  constructor(request: WebSocketRequest, settings: AppSettings) {
    super(request, settings);
    this.#events = new SocketEvents(this.#opening.promise);
  }

  /** Calls the app. Throws and rejects with what the app throws before it has accepted or refused. */
  run(app: AsgiApp, scope: WebSocketScope): MaybePromise<Answer> {
    this.settings.calls.add(this);
    let running: Promise<void>;
    try {
      running = app(
        scope,
        () => this.#events.next(),
        (event) => this.#send(event),
      );
    } catch (error) {
      running = rejected(error);
    }
    return this.follow(running);
  }

  override isGone(): boolean {
    return this.#state === "closed" || super.isGone();
  }

  override cancel(): void {
    this.#events.cancel();
    this.#finished.resolve();
    super.cancel();
  }

  protected onOver(): void {
    this.#opening.resolve(null);
  }

  protected override returned(): void {
    this.#finished.resolve();
    super.returned();
  }

  protected override threw(error: unknown): void {
    if (this.#state === "connecting" || this.#state === "refused") return super.threw(error);
    this.settings.calls.remove(this);
    if (isLeaving(error)) return this.#finished.resolve();
    // The carrier hears of it from `run`, if it has called it.
    if (this.#peer === null)
      this.request.exchange.log.error({ err: error }, "an ASGI app threw after it had accepted a socket");
    this.#finished.reject(error);
  }

  #send(event: SendEvent): Promise<void> {
    try {
      switch (event?.type) {
        case "websocket.send":
          return this.#message(event);
        case "websocket.accept":
          return this.#accept(event);
        case "websocket.close":
          return this.#close(event);
        case "websocket.http.response.start":
          if (this.#state !== "connecting") throw orderError(event.type, "after the socket was accepted or refused");
          this.#state = "refused";
          return this.startResponse(event);
        case "websocket.http.response.body":
          if (this.#state !== "refused") throw orderError(event.type, "before websocket.http.response.start");
          return this.sendBody(event);
        default:
          throw eventError(String((event as { type?: unknown } | null)?.type), "not an event of a websocket scope");
      }
    } catch (error) {
      return rejected(error);
    }
  }

  #accept(event: WebSocketAcceptEvent): Promise<void> {
    if (this.#state !== "connecting") throw orderError(event.type, "after the socket was accepted or refused");
    const { subprotocol = null, headers = [] } = event;
    if (subprotocol !== null && !this.request.subprotocols.includes(subprotocol)) {
      throw eventError(event.type, `subprotocol ${JSON.stringify(subprotocol)} is none that the client offers`);
    }
    const list = HeaderList.fromWire(readPairs(headers, event.type));
    if (list.has("sec-websocket-protocol"))
      throw eventError(event.type, "use subprotocol, not a Sec-WebSocket-Protocol header");
    this.#state = "accepted";
    this.stage = "over";
    this.settle({
      kind: "accept",
      subprotocol,
      headers: list,
      run: (peer) => this.#open(peer),
      close: () => this.#drop(),
    });
    return this.#whenOpen(() => {});
  }

  /** The carrier has opened the socket; what is returned settles as the app does. */
  #open(peer: WebSocketPeer): Promise<void> {
    peer.closed.then(() => {
      this.#state = "closed";
    });
    this.#peer = peer;
    this.#opening.resolve(peer);
    return this.#finished.promise;
  }

  /** The answer was let go: a socket that has not opened by now never will. */
  #drop(): void {
    this.#state = "closed";
    this.#opening.resolve(null);
  }

  #message(event: WebSocketSendEvent): Promise<void> {
    if (this.#state === "connecting" || this.#state === "refused")
      throw orderError(event.type, "before websocket.accept");
    const message = messageOf(event);
    return this.#whenOpen((peer) => peer.send(message));
  }

  #close(event: WebSocketCloseEvent): Promise<void> {
    if (this.#state === "refused") throw orderError(event.type, "after the socket was refused");
    const { code, reason } = closeOf(event);
    if (this.#state === "connecting") {
      this.#state = "refused";
      this.settle(refused);
      this.over();
      return SENT;
    }
    const closing = this.#whenOpen((peer) => peer.close(code, reason));
    if (this.#state === "accepted") this.#state = "closing";
    return closing;
  }

  /** Does something with the socket, once it is open; rejects when it is closing, closed, or will never open. */
  #whenOpen(use: (peer: WebSocketPeer) => MaybePromise<void>): Promise<void> {
    if (this.#state !== "accepted") return rejected(disconnectedError());
    if (this.#peer !== null) return settled(use(this.#peer));
    const done = this.#opening.promise.then((peer) => {
      if (peer === null || this.#state === "closed") throw disconnectedError();
      return use(peer);
    });
    done.catch(() => {});
    return done;
  }
}

/** The promise of what is done, or takes its time; nobody needs to wait for it. */
function settled(doing: MaybePromise<void>): Promise<void> {
  if (!isPromise(doing)) return SENT;
  doing.catch(() => {});
  return doing;
}

function messageOf({ type, text, bytes }: WebSocketSendEvent): string | Uint8Array {
  const hasText = text !== undefined && text !== null;
  const hasBytes = bytes !== undefined && bytes !== null;
  if (hasText === hasBytes) throw eventError(type, "exactly one of bytes and text must be given");
  if (hasText && typeof text === "string") return text;
  if (hasBytes && bytes instanceof Uint8Array) return bytes;
  throw eventError(type, "text must be a string, bytes a Uint8Array");
}

const MAX_REASON_BYTES = 123; // RFC 6455 §5.5

function closeOf({ type, code = 1000, reason }: WebSocketCloseEvent): { code: number; reason: string } {
  const isSendable =
    code === 1000 ||
    (code >= 1001 && code <= 1014 && ![1004, 1005, 1006].includes(code)) ||
    (code >= 3000 && code <= 4999);
  if (!Number.isInteger(code) || !isSendable) throw eventError(type, `code ${code} cannot be sent (RFC 6455 §7.4)`);
  const given = reason ?? "";
  if (typeof given !== "string" || encodeText(given).length > MAX_REASON_BYTES) {
    throw eventError(type, `reason must be text of at most ${MAX_REASON_BYTES} bytes`);
  }
  return { code, reason: given };
}
