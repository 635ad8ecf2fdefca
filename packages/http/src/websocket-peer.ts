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

/** What a peer goes by. */
export type PeerSettings = Pick<
  WebSocketSettings,
  "maxUnreadBytes" | "sendBufferBytes" | "maxUnsentBytes" | "compression"
>;

/** The peer over a `ws` socket. */
export class SocketPeer implements WebSocketPeer {
  readonly closed: Promise<Closure>;
  /** Payload bytes sent. */
  bytesSent = 0;
  /** Messages in either direction: for the idle limit. */
  messages = 0;
  readonly #socket: WebSocket;
  readonly #wire: Duplex | null;
  readonly #settings: PeerSettings;
  #queue: Message[] = [];
  #queuedBytes = 0;
  #waiters: Waiter[] = [];
  #isClosed = false;
  #isClosing = false;

  /** @param wire what the socket writes to; `null` where frames are masked: those only `ws` can write */
  constructor(socket: WebSocket, wire: Duplex | null, settings: PeerSettings) {
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
    const hasRoom = unsent < sendBufferBytes;
    if (this.#wire === null || compression) return this.#sendFrames(message, hasRoom && !compression);
    const parts = writeMessage(message, length);
    return hasRoom ? write(this.#wire, parts) : writeAndWait(this.#wire, parts);
  }

  /** `ws` masks or compresses, and keeps the order of what takes time. */
  #sendFrames(message: string | Uint8Array, hasRoom: boolean): MaybePromise<void> {
    const options = { binary: typeof message !== "string" };
    if (hasRoom) return this.#socket.send(message, options);
    return handled(
      new Promise((resolve, reject) => {
        this.#socket.send(message, options, (error) => (error == null ? resolve() : reject(closedError(error))));
      }),
    );
  }

  async close(code = 1000, reason = ""): Promise<void> {
    try {
      this.#socket.close(code, reason);
      this.endReading();
    } catch (error) {
      throw new GatewayError("GW_WEBSOCKET_CLOSE", 500, `cannot close with code ${code}: ${(error as Error).message}`, {
        cause: error,
      });
    }
    await this.closed;
  }

  /** From now on messages that nobody has room for are dropped: the client's part of the closing handshake is behind them. */
  endReading(): void {
    this.#isClosing = true;
    if (this.#socket.isPaused) this.#socket.resume();
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
    const isFull = this.#queuedBytes >= this.#settings.maxUnreadBytes;
    if (isFull && this.#isClosing) return;
    this.#queue.push(message);
    this.#queuedBytes += bytes.length + MESSAGE_BYTES;
    if (!this.#isClosing && this.#queuedBytes >= this.#settings.maxUnreadBytes) this.#socket.pause();
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

/** Past `ws`, which would make two writes of a head and a payload; between its own frames this is as good a place as any. */
function write(wire: Duplex, parts: readonly Uint8Array[]): void {
  if (parts.length === 1) {
    wire.write(parts[0]);
    return;
  }
  wire.cork();
  for (const part of parts) wire.write(part);
  wire.uncork();
}

function writeAndWait(wire: Duplex, parts: readonly Uint8Array[]): Promise<void> {
  const last = parts.length - 1;
  return handled(
    new Promise((resolve, reject) => {
      const done = (error: Error | null | undefined): void => (error == null ? resolve() : reject(closedError(error)));
      parts.forEach((part, index) => void wire.write(part, index === last ? done : undefined));
    }),
  );
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
