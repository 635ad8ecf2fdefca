// The receive side of a websocket call: connect, the messages, then the disconnect.
import type { WebSocketMessage, WebSocketPeer } from "@gw/core";
import { cancelledError, rejected } from "./errors.ts";
import type { WebSocketConnectEvent, WebSocketDisconnectEvent, WebSocketReceiveEvent } from "./events.ts";

type Event = WebSocketConnectEvent | WebSocketReceiveEvent | WebSocketDisconnectEvent;

/** Gives the events that `receive` returns; messages once the socket is open. */
export class SocketEvents {
  /** Settles with the open socket, or with `null` when it will never open. */
  readonly #opening: Promise<WebSocketPeer | null>;
  #messages: AsyncIterator<WebSocketMessage> | null = null;
  #isConnectTold = false;
  #disconnect: WebSocketDisconnectEvent | null = null;
  #isCancelled = false;
  /** The receive before this one: a peer's iterator may not like two at a time. */
  #before: Promise<unknown> | null = null;

  constructor(opening: Promise<WebSocketPeer | null>) {
    this.#opening = opening;
  }

  next(): Promise<Event> {
    if (this.#isCancelled) return rejected(cancelledError());
    if (!this.#isConnectTold) {
      this.#isConnectTold = true;
      return Promise.resolve({ type: "websocket.connect" });
    }
    const next = this.#nextMessage(this.#before);
    this.#before = next;
    next.catch(() => {});
    return next;
  }

  cancel(): void {
    this.#isCancelled = true;
  }

  async #nextMessage(before: Promise<unknown> | null): Promise<Event> {
    if (before !== null) await before.catch(() => {});
    if (this.#disconnect !== null) return this.#tellAgain(this.#disconnect);
    const peer = await this.#opening;
    if (peer === null) return this.#tell(1006, "");
    this.#messages ??= peer[Symbol.asyncIterator]();
    const { done, value } = await this.#messages.next();
    if (!done) return toEvent(value);
    const { code, reason } = await peer.closed;
    return this.#tell(code, reason);
  }

  #tell(code: number, reason: string): WebSocketDisconnectEvent {
    this.#disconnect = { type: "websocket.disconnect", code, reason };
    return this.#disconnect;
  }

  /** After a turn of the event loop, so that a loop of receives starves nobody. */
  async #tellAgain(event: WebSocketDisconnectEvent): Promise<Event> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#isCancelled) throw cancelledError();
    return event;
  }
}

function toEvent(message: WebSocketMessage): WebSocketReceiveEvent {
  return message.isText
    ? { type: "websocket.receive", text: message.text() }
    : { type: "websocket.receive", bytes: message.bytes };
}
