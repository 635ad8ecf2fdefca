// What is known of one accepted socket, whatever it speaks.
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { type Address, parseAuthority, type TlsInfo } from "@gw/core";
import type { Generation } from "./generation.ts";
import type { ServerState } from "./server-state.ts";
import { readTlsInfo } from "./tls-info.ts";

/** Who is at the other end, as the socket or a PROXY header says. */
export interface PeerFacts {
  /** Where the peer is; `null` when not known. */
  readonly client: Address | null;
  /** Where it connected to. */
  readonly local: Address;
  /** TLS facts; `null` without TLS. */
  readonly tls: TlsInfo | null;
}

/** How long a connection that we closed for writing stays open, so that the client can read what was sent last. */
export const LINGER_MS = 2_000;

/** One connection. Lives in `state.connections` until its socket has closed. */
export abstract class Connection {
  readonly state: ServerState;
  readonly socket: Socket;
  readonly client: Address | null;
  readonly local: Address;
  readonly tls: TlsInfo | null;
  readonly scheme: "http" | "https";
  /** Settles when the socket has closed. */
  readonly closed: Promise<void>;
  #authority: string | null = null;
  #server: Address;

  constructor(state: ServerState, socket: Socket, facts: PeerFacts) {
    this.state = state;
    this.socket = socket;
    this.client = facts.client;
    this.local = facts.local;
    this.tls = facts.tls;
    this.scheme = facts.tls === null ? "http" : "https";
    this.#server = facts.local;
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

  /**
   * The address that an authority names; where the client connected to if it names none.
   *
   * The last one is kept: a connection nearly always asks for one name.
   *
   * @throws GatewayError `GW_BAD_AUTHORITY` (400)
   */
  serverAddress(authority: string | null, scheme: "http" | "https"): Address {
    if (authority === null || authority === "") return this.local;
    if (authority === this.#authority && scheme === this.scheme) return this.#server;
    const server = parseAuthority(authority, scheme);
    if (scheme === this.scheme) {
      this.#authority = authority;
      this.#server = server;
    }
    return server;
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

/** What the socket itself says of its peer. */
export function socketFacts(socket: Socket): PeerFacts {
  const isTls = "encrypted" in socket && socket.encrypted === true;
  return {
    client: addressOf(socket.remoteAddress, socket.remotePort),
    local: addressOf(socket.localAddress, socket.localPort),
    tls: isTls ? readTlsInfo(socket as TLSSocket) : null,
  };
}

/** An address as sockets give it; IPv4 in IPv6 clothes (`::ffff:127.0.0.1`) becomes IPv4. */
function addressOf(host: string | undefined, port: number | undefined): Address {
  if (host === undefined || port === undefined) return { path: "" };
  return { host: host.startsWith("::ffff:") && host.includes(".") ? host.slice(7) : host, port };
}
