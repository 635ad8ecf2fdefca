// One app while it serves: what reload swaps, and what close waits for.
import type { Runtime } from "@gw/core";

/** Something of a generation that must be told when its app is about to go: an open WebSocket. */
export interface Leaving {
  /** The app goes: end soon. */
  leave(): void;
  /** The grace is over: end now. */
  cut(): void;
}

/** An app and the exchanges it has under way. */
export class Generation {
  readonly runtime: Runtime;
  /** Exchanges under way; its exchanges count themselves. */
  running = 0;
  /** The app is about to go: no WebSocket stays open. */
  isLeaving = false;
  readonly #sockets: Set<Leaving> = new Set();
  #whenIdle: (() => void)[] = [];

  constructor(runtime: Runtime) {
    this.runtime = runtime;
  }

  /** A WebSocket was opened. */
  addSocket(socket: Leaving): void {
    this.#sockets.add(socket);
    if (this.isLeaving) socket.leave();
  }

  /** A WebSocket has closed. */
  removeSocket(socket: Leaving): void {
    this.#sockets.delete(socket);
  }

  /** Asks every WebSocket to end, also those still to be opened. */
  closeSockets(): void {
    this.isLeaving = true;
    for (const socket of this.#sockets) socket.leave();
  }

  /** Ends every WebSocket now. */
  cutSockets(): void {
    for (const socket of this.#sockets) socket.cut();
  }

  /** One exchange has ended. */
  leave(): void {
    this.running--;
    if (this.running === 0 && this.#whenIdle.length > 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** Settles when nothing runs any more. */
  idle(): Promise<void> {
    if (this.running === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }
}
