// A WebSocketPeer over receive and send: the socket of a handler under an ASGI server.
import { decodeText, encodeText, type WebSocketMessage, type WebSocketPeer } from "@gw/core";
import type { Receive, Send } from "./app.ts";
import { Deferred } from "./deferred.ts";
import { isLeaving } from "./errors.ts";
import type { ReceiveEvent } from "./events.ts";

/** The peer of an accepted socket. Reads one event ahead, so that a close is seen also by a handler that only sends. */
export class AsgiPeer implements WebSocketPeer {
  /** Bytes of the messages sent. */
  bytesSent = 0;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #receive: Receive;
  readonly #send: Send;
  readonly #closing: Deferred<{ readonly code: number; readonly reason: string }> = new Deferred();
  #isClosed = false;
  #ahead: Promise<ReceiveEvent | null>;

  constructor(receive: Receive, send: Send) {
    this.#receive = receive;
    this.#send = send;
    this.closed = this.#closing.promise;
    this.#ahead = this.#read();
  }

  /** Whether either side has closed. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  async send(message: string | Uint8Array): Promise<void> {
    const isText = typeof message === "string";
    try {
      await this.#send(isText ? { type: "websocket.send", text: message } : { type: "websocket.send", bytes: message });
      this.bytesSent += isText ? encodeText(message).length : message.length;
    } catch (error) {
      if (isLeaving(error)) this.#settle(1006, "");
      throw error;
    }
  }

  async close(code = 1000, reason = ""): Promise<void> {
    if (this.#isClosed) return;
    this.#settle(code, reason);
    await this.#send({ type: "websocket.close", code, reason });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<WebSocketMessage> {
    for (;;) {
      const event = await Promise.race([this.#ahead, this.closed.then(() => null)]);
      if (event?.type !== "websocket.receive") return;
      this.#ahead = this.#read();
      yield toMessage(event.text ?? null, event.bytes ?? null);
    }
  }

  async #read(): Promise<ReceiveEvent | null> {
    try {
      const event = await this.#receive();
      if (event.type === "websocket.disconnect") this.#settle(event.code ?? 1005, event.reason ?? "");
      return event;
    } catch {
      this.#settle(1006, "");
      return null;
    }
  }

  #settle(code: number, reason: string): void {
    this.#isClosed = true;
    this.#closing.resolve({ code, reason });
  }
}

function toMessage(text: string | null, bytes: Uint8Array | null): WebSocketMessage {
  if (text === null)
    return { isText: false, bytes: bytes ?? new Uint8Array(0), text: () => decodeText(bytes ?? new Uint8Array(0)) };
  return {
    isText: true,
    get bytes() {
      return encodeText(text);
    },
    text: () => text,
  };
}
