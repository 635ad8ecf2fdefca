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
  /** Receives under way. */
  #pending = 0;
  readonly #onSettled = (): void => {
    this.#pending--;
  };
  readonly #onStep = ({ done, value }: IteratorResult<WebSocketMessage>): Event | Promise<Event> =>
    done === true ? this.#closed() : toEvent(value);

  constructor(opening: Promise<WebSocketPeer | null>) {
    this.#opening = opening;
  }

  next(): Promise<Event> {
    if (this.#isCancelled) return rejected(cancelledError());
    if (!this.#isConnectTold) {
      this.#isConnectTold = true;
      return Promise.resolve({ type: "websocket.connect" });
    }
    const messages = this.#messages;
    const isAlone = this.#pending === 0 && this.#disconnect === null;
    // While the socket is open and nobody else receives, a message is one promise away.
    const next = messages !== null && isAlone ? messages.next().then(this.#onStep) : this.#nextMessage(this.#before);
    this.#pending++;
    this.#before = next;
    next.then(this.#onSettled, this.#onSettled);
    return next;
  }

  cancel(): void {
    this.#isCancelled = true;
  }

  async #nextMessage(before: Promise<unknown> | null): Promise<Event> {
    if (before !== null) await before.catch(() => {});
    if (this.#disconnect !== null) return this.#tellAgain(this.#disconnect);
    const peer = await this.#opening;
    if (peer === null) return this.#closed();
    this.#messages ??= peer[Symbol.asyncIterator]();
    return this.#onStep(await this.#messages.next());
  }

  async #closed(): Promise<WebSocketDisconnectEvent> {
    const peer = await this.#opening;
    const { code, reason } = peer === null ? CUT : await peer.closed;
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

/** How a socket ends that never opened. */
const CUT = { code: 1006, reason: "" } as const;

function toEvent(message: WebSocketMessage): WebSocketReceiveEvent {
  return message.isText
    ? { type: "websocket.receive", text: message.text() }
    : { type: "websocket.receive", bytes: message.bytes };
}
