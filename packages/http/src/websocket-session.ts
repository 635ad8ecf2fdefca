// One open WebSocket: runs the app's side, watches its time limits, closes with the right code.
import type { Duplex } from "node:stream";
import { GatewayError, type WebSocketAccept } from "@gw/core";
import type { WebSocket } from "ws";
import { type HttpExchange, peerGone } from "./exchange.ts";
import type { Leaving } from "./generation.ts";
import { type Closure, SocketPeer } from "./websocket-peer.ts";
import type { WebSocketSettings } from "./websocket-settings.ts";
import { SocketWatch } from "./websocket-watch.ts";

/** What a session needs beside its socket. */
export interface SessionOptions {
  readonly exchange: HttpExchange;
  readonly accept: WebSocketAccept;
  readonly settings: WebSocketSettings;
  readonly writeTimeoutMs: number;
}

/** Ends with 1012, "service restart": clients come back at once (IANA WebSocket close codes). */
const RESTART = 1012;

/** A WebSocket and the app that talks to it. */
export class WebSocketSession implements Leaving {
  readonly #socket: WebSocket;
  readonly #options: SessionOptions;
  readonly #peer: SocketPeer;
  #error: unknown = null;
  #isRunning = true;
  #closure: Closure | null = null;
  readonly #watch: SocketWatch;
  #seenMessages = 0;
  #idleSinceMs: number | null = null;

  constructor(socket: WebSocket, wire: Duplex, options: SessionOptions) {
    this.#socket = socket;
    this.#options = options;
    // Before the peer ends the app's iteration: it may ask whether the client is gone.
    socket.once("close", () => {
      if (this.#isRunning) options.exchange.controller.abort(peerGone());
    });
    this.#peer = new SocketPeer(socket, wire, options.settings);
    socket.on("error", (error) => options.exchange.log.debug({ err: error }, "WebSocket error"));
    const { settings, writeTimeoutMs } = options;
    this.#watch = new SocketWatch(socket, { pingIntervalMs: settings.pingIntervalMs, stallMs: writeTimeoutMs });
    this.#peer.closed.then((closure) => this.#onClosed(closure));
  }

  /** Runs the app's side; settles when it is over. Never rejects. */
  async run(): Promise<void> {
    const { accept, exchange } = this.#options;
    exchange.generation.addSocket(this);
    let code = 1000;
    try {
      await accept.run(this.#peer);
    } catch (error) {
      code = 1011;
      if (!this.#isGoneError(error)) {
        this.#error = error;
        exchange.log.error({ err: error }, "the WebSocket's app failed");
      }
    }
    this.#isRunning = false;
    this.#closeSocket(code, "");
    exchange.closeAnswer(accept);
    this.#settle();
  }

  leave(): void {
    this.#closeSocket(RESTART, "service restart");
  }

  cut(): void {
    this.#socket.terminate();
    this.#isRunning = false;
    this.#settle();
  }

  /** Looks at the time limits. */
  check(nowMs: number): void {
    const { idleTimeoutMs } = this.#options.settings;
    if (this.#watch.check(nowMs) && idleTimeoutMs !== 0) this.#checkIdle(nowMs, idleTimeoutMs);
  }

  #checkIdle(nowMs: number, limitMs: number): void {
    if (this.#peer.messages !== this.#seenMessages || this.#idleSinceMs === null) {
      this.#seenMessages = this.#peer.messages;
      this.#idleSinceMs = nowMs;
    } else if (nowMs - this.#idleSinceMs > limitMs) this.#closeSocket(1000, "idle");
  }

  #closeSocket(code: number, reason: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.close(code, reason);
    if (!this.#isRunning) this.#peer.endReading();
  }

  #onClosed(closure: Closure): void {
    this.#closure = closure;
    this.#settle();
  }

  /** Ends the exchange once the socket has closed and the app's side is over. */
  #settle(): void {
    if (this.#closure === null || this.#isRunning) return;
    const { exchange } = this.#options;
    exchange.generation.removeSocket(this);
    const result = this.#error !== null ? "cut" : this.#closure.code === 1006 ? "gone" : "sent";
    exchange.end({ status: 101, bytesSent: this.#peer.bytesSent, result, error: this.#error });
  }

  /** Whether the app failed only because the client has left. A send may fail before the socket has closed. */
  #isGoneError(error: unknown): boolean {
    return (
      isClosedError(error) || (this.#closure !== null && error === this.#options.exchange.controller.signal.reason)
    );
  }
}

function isClosedError(error: unknown): boolean {
  return error instanceof GatewayError && (error.code === "GW_WEBSOCKET_CLOSED" || error.code === "GW_WEBSOCKET_SLOW");
}
