// Both ends of a WebSocket without a network.
import { decodeText, encodeText } from "../bytes/byte-string.ts";
import { GatewayError } from "../model/errors.ts";
import type { MaybePromise } from "../model/maybe-promise.ts";
import type { WebSocketMessage, WebSocketPeer } from "../model/response.ts";

/** What `socketPair` may be told. */
export interface SocketPairOptions {
  /** Messages to the client that may wait unread; `send` waits beyond them. @default 16 */
  maxUnread?: number;
}

/** How a socket ended. */
export interface SocketClose {
  readonly code: number;
  readonly reason: string;
}

/** The client's end of a socket. */
export interface TestSocketClient {
  /** Sends a message to the app; a string as text. */
  send(message: string | Uint8Array): void;
  /** The next message: text as a string, bytes as bytes. Rejects with `GW_WEBSOCKET_CLOSED` when the socket closes before one comes. */
  receive(): Promise<string | Uint8Array>;
  /** Closes; `closed` settles once the app has been told. @default code 1000 */
  close(code?: number, reason?: string): void;
  /** The connection breaks: the app sees 1006. */
  cut(): void;
  /** Settles when either side has closed. */
  readonly closed: Promise<SocketClose>;
}

/** A connected pair: `peer` is what an app's `run` is given, `client` is the test's. */
export function socketPair({ maxUnread = 16 }: SocketPairOptions = {}): {
  peer: WebSocketPeer;
  client: TestSocketClient;
} {
  const toApp = new Mailbox(Number.POSITIVE_INFINITY);
  const toClient = new Mailbox(maxUnread);
  let settle: (how: SocketClose) => void = () => {};
  const closed = new Promise<SocketClose>((resolve) => {
    settle = resolve;
  });
  const end = (code: number, reason: string): void => {
    toApp.end();
    toClient.end();
    settle({ code, reason });
  };
  const peer: WebSocketPeer = {
    send: (message) => toClient.put(messageOf(message)),
    async close(code = 1000, reason = "") {
      end(code, reason);
    },
    closed,
    async *[Symbol.asyncIterator]() {
      for (let message = await toApp.take(); message !== null; message = await toApp.take()) yield message;
    },
  };
  const client: TestSocketClient = {
    send(message) {
      if (toApp.isEnded) throw socketClosed();
      toApp.put(messageOf(message));
    },
    async receive() {
      const message = await toClient.take();
      if (message === null) throw socketClosed();
      return message.isText ? message.text() : message.bytes;
    },
    close: (code = 1000, reason = "") => end(code, reason),
    cut: () => end(1006, ""),
    closed,
  };
  return { peer, client };
}

/** Messages on their way in one direction, in order. */
class Mailbox {
  readonly #maxUnread: number;
  readonly #unread: WebSocketMessage[] = [];
  readonly #senders: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  #taker: ((message: WebSocketMessage | null) => void) | null = null;
  #isEnded = false;

  constructor(maxUnread: number) {
    this.#maxUnread = maxUnread;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  put(message: WebSocketMessage): MaybePromise<void> {
    if (this.#isEnded) return handled(Promise.reject(socketClosed()));
    if (this.#taker !== null) {
      this.#taker(message);
      this.#taker = null;
      return;
    }
    this.#unread.push(message);
    if (this.#unread.length <= this.#maxUnread) return;
    return handled(new Promise((resolve, reject) => void this.#senders.push({ resolve, reject })));
  }

  take(): Promise<WebSocketMessage | null> {
    const message = this.#unread.shift();
    if (message !== undefined) {
      this.#senders.shift()?.resolve();
      return Promise.resolve(message);
    }
    if (this.#isEnded) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#taker = resolve;
    });
  }

  /** What has been sent can still be taken; senders that wait are told. */
  end(): void {
    this.#isEnded = true;
    for (const { reject } of this.#senders.splice(0)) reject(socketClosed());
    this.#taker?.(null);
    this.#taker = null;
  }
}

function messageOf(message: string | Uint8Array): WebSocketMessage {
  const isText = typeof message === "string";
  const bytes = isText ? encodeText(message) : message.slice();
  return { isText, bytes, text: () => decodeText(bytes) };
}

/** As real peers do: an app that does not wait for `send` is not ended by its rejection. */
function handled(promise: Promise<void>): Promise<void> {
  promise.catch(() => {});
  return promise;
}

function socketClosed(): GatewayError {
  return new GatewayError("GW_WEBSOCKET_CLOSED", 499, "the WebSocket is closed");
}
