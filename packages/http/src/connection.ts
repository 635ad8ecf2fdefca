// One accepted socket that speaks HTTP, of whatever version.
import type { Socket } from "node:net";
import type { Generation } from "./generation.ts";
import { Peer, type PeerFacts } from "./peer.ts";
import type { OpenConnection, ServerState } from "./server-state.ts";

/** How long a connection that we closed for writing stays open, so that the client can read what was sent last. */
export const LINGER_MS = 2_000;

/** One connection. Lives in `state.connections` until its socket has closed. */
export abstract class Connection extends Peer implements OpenConnection {
  readonly state: ServerState;
  readonly socket: Socket;
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

  abstract check(nowMs: number): void;
  abstract drain(): void;
  /** The socket has closed. */
  abstract onClose(): void;
  abstract cutExchangesOf(generation: Generation): void;

  cut(): void {
    this.socket.destroy();
  }
}
