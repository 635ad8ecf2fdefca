// The other side of a WebSocket, as apps see it: messages in at the app's pace, out at the client's (R-H15).
import type { Duplex } from "node:stream";
import { decodeText, GatewayError, type MaybePromise, type WebSocketMessage, type WebSocketPeer } from "@gw/core";
import { WebSocket } from "ws";
import { payloadBytes, writeMessage } from "./websocket-frame.ts";
import type { WebSocketSettings } from "./websocket-settings.ts";

/** How a socket closed. */
export interface Closure {
  readonly code: number;
  readonly reason: string;
}

type Waiter = (result: IteratorResult<WebSocketMessage>) => void;

/** The peer over a `ws` socket. */
export class SocketPeer implements WebSocketPeer {
  readonly closed: Promise<Closure>;
  /** Payload bytes sent. */
  bytesSent = 0;
  /** Messages in either direction: for the idle limit. */
  messages = 0;
  readonly #socket: WebSocket;
  readonly #wire: Duplex;
  readonly #settings: WebSocketSettings;
  #queue: Message[] = [];
  #queuedBytes = 0;
  #waiters: Waiter[] = [];
  #isClosed = false;

  /** @param wire what the socket writes to */
  constructor(socket: WebSocket, wire: Duplex, settings: WebSocketSettings) {
    this.#socket = socket;
    this.#wire = wire;
    this.#settings = settings;
    socket.on("message", (data, isBinary) => this.#received(data as Buffer, !isBinary));
    this.closed = new Promise((resolve) => {
      socket.once("close", (code, reason) => {
        this.#isClosed = true;
        for (const waiter of this.#waiters.splice(0)) waiter(END);
        resolve({ code, reason: decodeText(reason) });
      });
    });
  }

  /** Whether the client waits for the app to read. */
  get isPaused(): boolean {
    return this.#socket.isPaused;
  }

  send(message: string | Uint8Array): MaybePromise<void> {
    const socket = this.#socket;
    const { sendBufferBytes, maxUnsentBytes, compression } = this.#settings;
    if (socket.readyState !== WebSocket.OPEN) return rejected(closedError());
    const unsent = socket.bufferedAmount;
    if (unsent > maxUnsentBytes) {
      socket.terminate();
      return rejected(slowError(maxUnsentBytes));
    }
    this.messages++;
    const length = payloadBytes(message);
    this.bytesSent += length;
    if (compression) return this.#sendCompressed(message);
    const parts = writeMessage(message, length);
    return unsent < sendBufferBytes ? this.#write(parts) : this.#writeAndWait(parts);
  }

  /** `ws` compresses, and keeps the order of what takes time. */
  #sendCompressed(message: string | Uint8Array): Promise<void> {
    return handled(
      new Promise((resolve, reject) => {
        const options = { binary: typeof message !== "string" };
        this.#socket.send(message, options, (error) => (error == null ? resolve() : reject(closedError(error))));
      }),
    );
  }

  /** Past `ws`, which would make two writes of a head and a payload; between its own frames this is as good a place as any. */
  #write(parts: readonly Uint8Array[]): void {
    const wire = this.#wire;
    if (parts.length === 1) {
      wire.write(parts[0]);
      return;
    }
    wire.cork();
    for (const part of parts) wire.write(part);
    wire.uncork();
  }

  #writeAndWait(parts: readonly Uint8Array[]): Promise<void> {
    const last = parts.length - 1;
    return handled(
      new Promise((resolve, reject) => {
        const done = (error: Error | null | undefined): void =>
          error == null ? resolve() : reject(closedError(error));
        parts.forEach((part, index) => void this.#wire.write(part, index === last ? done : undefined));
      }),
    );
  }

  async close(code = 1000, reason = ""): Promise<void> {
    try {
      this.#socket.close(code, reason);
    } catch (error) {
      throw new GatewayError("GW_WEBSOCKET_CLOSE", 500, `cannot close with code ${code}: ${(error as Error).message}`, {
        cause: error,
      });
    }
    await this.closed;
  }

  [Symbol.asyncIterator](): AsyncIterator<WebSocketMessage> {
    return {
      next: () => this.#next(),
      return: async () => END,
    };
  }

  #next(): Promise<IteratorResult<WebSocketMessage>> {
    const message = this.#queue.shift();
    if (message !== undefined) {
      this.#queuedBytes -= message.bytes.length + MESSAGE_BYTES;
      if (this.#socket.isPaused && this.#queuedBytes < this.#settings.maxUnreadBytes) this.#socket.resume();
      return Promise.resolve({ done: false, value: message });
    }
    if (this.#isClosed) return Promise.resolve(END);
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #received(bytes: Buffer, isText: boolean): void {
    this.messages++;
    const message = new Message(bytes, isText);
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) return waiter({ done: false, value: message });
    this.#queue.push(message);
    this.#queuedBytes += bytes.length + MESSAGE_BYTES;
    if (this.#queuedBytes >= this.#settings.maxUnreadBytes) this.#socket.pause();
  }
}

/** What a queued message costs beside its bytes. */
const MESSAGE_BYTES = 128;

const END: IteratorResult<WebSocketMessage> = { done: true, value: undefined };

class Message implements WebSocketMessage {
  readonly isText: boolean;
  readonly bytes: Buffer;

  constructor(bytes: Buffer, isText: boolean) {
    this.bytes = bytes;
    this.isText = isText;
  }

  text(): string {
    return this.bytes.toString("utf8"); // `ws` has checked that it is UTF-8
  }
}

function closedError(cause?: unknown): GatewayError {
  return new GatewayError("GW_WEBSOCKET_CLOSED", 499, "the WebSocket has closed", cause === undefined ? {} : { cause });
}

function slowError(maxUnsentBytes: number): GatewayError {
  return new GatewayError("GW_WEBSOCKET_SLOW", 499, `the client left more than ${maxUnsentBytes} bytes unread`);
}

function rejected(error: GatewayError): Promise<void> {
  return handled(Promise.reject(error));
}

/** An app that does not wait for `send` must not be ended by its rejection. */
function handled(promise: Promise<void>): Promise<void> {
  promise.catch(() => {});
  return promise;
}
