// The connections to one upstream: kept ones and fresh ones.
import { Agent, type ClientRequest, type RequestOptions, request } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { isIP, connect as netConnect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as tlsConnect } from "node:tls";
import type { HeaderList } from "@gw/core";
import type { ProxySettings } from "./proxy-options.ts";
import type { ProxyTarget } from "./proxy-target.ts";

/** Longest head of an answer, bytes; like that of a program (R-C17). */
export const MAX_HEAD_BYTES = 65_536;

/** What is asked of an upstream, without the body. */
export interface UpstreamHead {
  readonly method: string;
  /** Raw path and query. */
  readonly path: string;
  readonly headers: HeaderList;
}

/** An upstream and the connections to it. */
export class ProxyUpstream {
  readonly target: ProxyTarget;
  readonly #place: RequestOptions;
  readonly #tls: { readonly servername?: string; readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly #kept: Agent;
  readonly #fresh: Agent;

  constructor(target: ProxyTarget, { tls, maxIdleConnections, keepAliveMs }: ProxySettings) {
    this.target = target;
    const { address } = target;
    this.#place = "path" in address ? { socketPath: address.path } : { host: address.host, port: address.port };
    const { serverName, ...certificates } = tls;
    const host = "host" in address && isIP(address.host) === 0 ? address.host : undefined;
    const servername = serverName ?? host;
    this.#tls = { ...certificates, ...(servername !== undefined && { servername }) };
    const options = { noDelay: true, timeout: keepAliveMs, ...(target.isTls && this.#tls) };
    const Kind = target.isTls ? TlsAgent : Agent;
    this.#kept = new Kind({ ...options, keepAlive: maxIdleConnections > 0, maxFreeSockets: maxIdleConnections });
    this.#fresh = new Kind({ ...options, keepAlive: false });
    closeOnStrayBytes(this.#kept);
  }

  /** Connections that wait for a request. */
  get idle(): number {
    return Object.values(this.#kept.freeSockets).reduce((sum, sockets) => sum + (sockets?.length ?? 0), 0);
  }

  /** Prepares a request; its head leaves with its first byte or end. @param mayReuse a kept connection will do */
  request({ method, path, headers }: UpstreamHead, mayReuse: boolean): ClientRequest {
    const send = this.target.isTls ? tlsRequest : request;
    const outgoing = send({
      ...this.#place,
      agent: mayReuse ? this.#kept : this.#fresh,
      method,
      path,
      headers: headers.toFlat() as string[],
      setHost: false,
      maxHeaderSize: MAX_HEAD_BYTES,
      ...(this.target.isTls && this.#tls),
    });
    outgoing.maxHeadersCount = 0; // Node's own limit would drop lines without a word
    return outgoing;
  }

  /** A connection of its own, for a WebSocket. */
  connect(): Socket {
    const { address, isTls } = this.target;
    const place = "path" in address ? { path: address.path } : { host: address.host, port: address.port };
    return isTls ? tlsConnect({ ...place, ...this.#tls }) : netConnect(place);
  }

  /** Closes what nobody uses, now and from now on. */
  rest(): void {
    this.#kept.maxFreeSockets = 0;
    for (const sockets of Object.values(this.#kept.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }

  /** Cuts everything. */
  destroy(): void {
    this.#kept.destroy();
    this.#fresh.destroy();
  }
}

/** What an upstream says without being asked would be read as the answer to the next request (R-F13). */
function closeOnStrayBytes(agent: Agent): void {
  const strays = new WeakMap<Duplex, () => void>();
  const keep = agent.keepSocketAlive.bind(agent) as (socket: Duplex) => unknown;
  const reuse = agent.reuseSocket.bind(agent);
  agent.keepSocketAlive = (socket) => {
    if (socket.readableLength > 0 || !keep(socket)) return false;
    const stray = (): void => void socket.destroy();
    strays.set(socket, stray);
    socket.on("data", stray);
    return true;
  };
  agent.reuseSocket = (socket, outgoing) => {
    const stray = strays.get(socket);
    if (stray !== undefined) socket.off("data", stray);
    reuse(socket, outgoing);
  };
}

/** Bytes that came over a connection so far. */
export function bytesRead(socket: Duplex | null): number {
  return (socket as Socket | null)?.bytesRead ?? 0;
}
