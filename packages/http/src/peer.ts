// What is known of the other end of a connection, and of the names it asks for.
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { type Address, parseAuthority, type TlsInfo } from "@gw/core";
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

/** The other end of one connection. */
export class Peer {
  readonly client: Address | null;
  readonly local: Address;
  readonly tls: TlsInfo | null;
  readonly scheme: "http" | "https";
  #authority: string | null = null;
  #server: Address;

  constructor({ client, local, tls }: PeerFacts) {
    this.client = client;
    this.local = local;
    this.tls = tls;
    this.scheme = tls === null ? "http" : "https";
    this.#server = local;
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
