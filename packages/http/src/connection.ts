// One accepted socket that speaks HTTP, of whatever version.
import type { Socket } from "node:net";
import type { Generation } from "./generation.ts";
import { Peer, type PeerFacts } from "./peer.ts";
import type { ServerState } from "./server-state.ts";

/** How long a connection that we closed for writing stays open, so that the client can read what was sent last. */
export const LINGER_MS = 2_000;

/** One connection. Lives in `state.connections` until its socket has closed. */
export abstract class Connection extends Peer {
  readonly state: ServerState;
  readonly socket: Socket;
  /** Settles when the socket has closed. */
  readonly closed: Promise<void>;

  constructor(state: ServerState, socket: Socket, facts: PeerFacts) {
    super(facts);
    this.state = state;
    this.socket = socket;
    state.connections.add(this);
    socket.on("error", () => {}); // "close" follows, and says all we need
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        state.connections.delete(this);
        this.onClose();
        resolve();
      });
    });
  }

  /** Looks at the time limits; called about once a second with the monotonic time. */
  abstract check(nowMs: number): void;
  /** No more requests are wanted: finish what runs, close when idle for `state.idleGraceMs`. */
  abstract drain(): void;
  /** The socket has closed. */
  abstract onClose(): void;
  /** Cuts the exchanges of an app that is gone. */
  abstract cutExchangesOf(generation: Generation): void;

  /** Cuts the connection. */
  cut(): void {
    this.socket.destroy();
  }
}
