// One sending of a request to an upstream.
import type { ClientRequest } from "node:http";
import {
  type Answer,
  type GatewayRequest,
  HeaderList,
  type HttpRequest,
  type UpstreamLease,
  type WebSocketRequest,
  withoutHopByHop,
} from "@gw/core";
import { acceptFields, upstreamAnswer } from "./proxy-answer.ts";
import { ProxyCall } from "./proxy-call.ts";
import { ProxyError } from "./proxy-error.ts";
import { publicAuthority, publicBase, upstreamHeaders, upstreamPath } from "./proxy-headers.ts";
import type { ProxySettings } from "./proxy-options.ts";
import type { PathMap } from "./proxy-rewrite.ts";
import { ProxySocket } from "./proxy-socket.ts";
import type { ProxySockets } from "./proxy-sockets.ts";
import type { ProxyTarget } from "./proxy-target.ts";
import type { ProxyUpstream, UpstreamHead } from "./proxy-upstream.ts";

/** One sending of a request. */
export class ProxyAttempt {
  /** Where it went. */
  upstream: ProxyUpstream | null = null;
  /** How it went. */
  call: ProxyCall | null = null;
  readonly #request: GatewayRequest;
  readonly #settings: ProxySettings;
  readonly #sockets: ProxySockets;

  constructor(request: GatewayRequest, settings: ProxySettings, sockets: ProxySockets) {
    this.#request = request;
    this.#settings = settings;
    this.#sockets = sockets;
  }

  /** The upstream's answer. @param mayReuse a kept connection will do */
  async run(lease: UpstreamLease<ProxyUpstream>, mayReuse: boolean): Promise<Answer> {
    const request = this.#request;
    this.upstream = lease.upstream;
    try {
      const paths = pathMap(request, lease.upstream.target, this.#settings);
      const answer =
        request.kind === "websocket"
          ? await this.#open(request, lease, paths)
          : await upstreamAnswer(this.#ask(request, lease, mayReuse), request.method, paths);
      lease.succeeded();
      return answer;
    } catch (error) {
      lease.release();
      if (!request.signal.aborted && isFailure(error)) lease.failed();
      throw error;
    }
  }

  #ask(request: HttpRequest, lease: UpstreamLease<ProxyUpstream>, mayReuse: boolean): ProxyCall {
    const head = this.#head(lease);
    const headers = framed(request, head.headers, mayReuse);
    return this.#begin(lease, lease.upstream.request({ ...head, headers }, mayReuse), null);
  }

  /** Its place is free again once the socket is open: sockets that stay for days must not keep requests out. */
  async #open(
    { subprotocols, method }: WebSocketRequest,
    lease: UpstreamLease<ProxyUpstream>,
    paths: PathMap,
  ): Promise<Answer> {
    const { webSocket: settings, idleTimeoutMs: stallMs } = this.#settings;
    const { upstream } = lease;
    const head = this.#head(lease);
    const offer = subprotocols.length === 0 ? [] : ["Sec-WebSocket-Protocol", subprotocols.join(", ")];
    const headers = HeaderList.fromWire([...head.headers.toFlat(), ...offer]);
    const socket = new ProxySocket({ upstream, head: { ...head, headers }, offered: subprotocols, settings, stallMs });
    const call = this.#begin(lease, socket.outgoing as ClientRequest, socket);
    const res = await call.head;
    if (res.statusCode !== 101) return upstreamAnswer(call, method, paths);
    try {
      return this.#sockets.accept(socket, acceptFields(res, paths));
    } catch (error) {
      socket.cut();
      throw error;
    }
  }

  #head({ upstream }: UpstreamLease<ProxyUpstream>): UpstreamHead {
    const request = this.#request;
    const { target } = upstream;
    const path = upstreamPath(request, target, this.#settings);
    return { method: request.method, path, headers: upstreamHeaders(request, target, this.#settings) };
  }

  #begin(lease: UpstreamLease<ProxyUpstream>, outgoing: ClientRequest, socket: ProxySocket | null): ProxyCall {
    const request = this.#request;
    const { exchange } = request;
    const inform = (headers: HeaderList): void => {
      try {
        exchange.inform?.(withoutHopByHop(headers));
      } catch (error) {
        exchange.log.debug({ err: error }, "a 103 of the upstream is not passed on");
      }
    };
    const done = (): void => lease.release();
    const { target } = lease.upstream;
    this.call = new ProxyCall({ target, settings: this.#settings, request, outgoing, socket, inform, done });
    return this.call;
  }
}

/** Methods of which nobody expects a body: without one, no length is told (RFC 9110 §8.6). */
const BODILESS_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "DELETE", "TRACE"]);

/** With the fields that frame the body and speak of the connection: ours, whatever the client's were. */
function framed({ method, body, headers }: HttpRequest, fields: HeaderList, isKept: boolean): HeaderList {
  const flat = [...fields.toFlat()];
  if (body.length === null) flat.push("Transfer-Encoding", "chunked");
  else if (body.length > 0 || !BODILESS_METHODS.has(method)) flat.push("Content-Length", String(body.length));
  const connection = isKept ? "keep-alive" : "close";
  if (/(?:^|[,\s])trailers\b/i.test(headers.get("te") ?? ""))
    flat.push("TE", "trailers", "Connection", `${connection}, TE`);
  else flat.push("Connection", connection);
  return HeaderList.fromWire(flat);
}

/** How paths of an upstream's answer are to be read. */
function pathMap(request: GatewayRequest, target: ProxyTarget, settings: ProxySettings): PathMap {
  const own = publicAuthority(request)?.toLowerCase();
  const { address, prefix, authority } = target;
  const explicit = "port" in address ? [`${authority.replace(/:\d+$/, "")}:${address.port}`] : [];
  const authorities = [authority, ...explicit, ...(own === undefined ? [] : [own])];
  return { prefix, base: publicBase(request, settings), authorities };
}

/** Whether an error speaks against the upstream: it cannot be reached, or is silent. */
function isFailure(error: unknown): boolean {
  return error instanceof ProxyError && /_(?:UNREACHABLE|TLS|TIMEOUT)$/.test(error.code);
}
