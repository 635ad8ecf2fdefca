// Asks upstreams: picks one, and tries once more where that is safe (R-F14).
import {
  type GatewayRequest,
  HeaderList,
  type HttpRequest,
  type HttpResponse,
  mayRetry,
  type Status,
  UpstreamGroup,
  type UpstreamGroupOptions,
  type UpstreamLease,
  withoutHopByHop,
} from "@gw/core";
import { upstreamAnswer } from "./proxy-answer.ts";
import { ProxyCall } from "./proxy-call.ts";
import { ProxyError } from "./proxy-error.ts";
import { publicAuthority, publicBase, upstreamHeaders, upstreamPath } from "./proxy-headers.ts";
import type { ProxySettings } from "./proxy-options.ts";
import type { PathMap } from "./proxy-rewrite.ts";
import type { ProxyTarget } from "./proxy-target.ts";
import { ProxyUpstream } from "./proxy-upstream.ts";

/** The upstreams of one mount. */
export class ProxyClient {
  readonly settings: ProxySettings;
  readonly #group: UpstreamGroup<ProxyUpstream>;

  constructor(settings: ProxySettings, options: UpstreamGroupOptions) {
    this.settings = settings;
    const upstreams = settings.targets.map((target) => new ProxyUpstream(target, settings));
    this.#group = new UpstreamGroup(upstreams, { ...options, maxConnections: options.maxConnections ?? 256 });
  }

  /** A place at an upstream. @throws GatewayError `GW_UPSTREAM_BUSY` */
  async take(signal: AbortSignal, avoid: ProxyUpstream | null = null): Promise<UpstreamLease<ProxyUpstream>> {
    return this.#group.take(signal, avoid);
  }

  /** One attempt, and where that is safe a second one: at another upstream, or on a new connection. */
  async answer(request: HttpRequest): Promise<HttpResponse> {
    const { body } = request;
    // A kept connection may have been closed under our hands. Who could not be asked again gets a fresh one.
    const canRepeat = mayRetry(request, false);
    const first = new Attempt(this.settings, request);
    try {
      return await first.run(await this.take(request.signal), canRepeat);
    } catch (error) {
      const isElsewhere = first.call?.wasUnreachable === true && this.#group.members.length > 1;
      const isAgain = first.call?.wasStale === true && (body.length === 0 || body.replayable);
      if (request.signal.aborted || (!isElsewhere && !isAgain)) throw error;
      request.exchange.log.debug({ err: error }, "the request is sent to an upstream once more");
      const lease = await this.take(request.signal, isElsewhere ? first.upstream : null);
      return new Attempt(this.settings, request).run(lease, false);
    }
  }

  /** How busy it is. */
  status(name: string): Status {
    const { members } = this.#group;
    const isUp = members.some((member) => member.isUp);
    const idle = members.reduce((sum, { upstream }) => sum + upstream.idle, 0);
    return {
      name,
      state: !isUp ? "failed" : members.every((member) => member.isUp) ? "ready" : "degraded",
      error: isUp ? null : "no upstream can be reached",
      facts: { running: this.#group.running, queued: this.#group.queued, idle },
    };
  }

  /** Lets running requests finish until the deadline, then cuts them. */
  stop(deadline: AbortSignal): void {
    for (const { upstream } of this.#group.members) {
      upstream.rest();
      if (deadline.aborted) upstream.destroy();
      else deadline.addEventListener("abort", () => upstream.destroy(), { once: true });
    }
  }
}

/** One sending of a request. */
class Attempt {
  readonly #settings: ProxySettings;
  readonly #request: HttpRequest;
  upstream: ProxyUpstream | null = null;
  call: ProxyCall | null = null;

  constructor(settings: ProxySettings, request: HttpRequest) {
    this.#settings = settings;
    this.#request = request;
  }

  async run(lease: UpstreamLease<ProxyUpstream>, mayReuse: boolean): Promise<HttpResponse> {
    const request = this.#request;
    const { method } = request;
    const { upstream } = lease;
    this.upstream = upstream;
    try {
      const paths = pathMap(request, upstream.target, this.#settings);
      this.call = this.#newCall(lease, mayReuse);
      const answer = await upstreamAnswer(this.call, method, paths);
      lease.succeeded();
      return answer;
    } catch (error) {
      lease.release();
      if (!request.signal.aborted && isFailure(error)) lease.failed();
      throw error;
    }
  }

  #newCall(lease: UpstreamLease<ProxyUpstream>, mayReuse: boolean): ProxyCall {
    const request = this.#request;
    const { target } = lease.upstream;
    const { exchange } = request;
    const head = {
      method: request.method,
      path: upstreamPath(request, target, this.#settings),
      headers: framed(request, upstreamHeaders(request, target, this.#settings), mayReuse),
    };
    const inform = (headers: HeaderList): void => {
      try {
        exchange.inform?.(withoutHopByHop(headers));
      } catch (error) {
        exchange.log.debug({ err: error }, "a 103 of the upstream is not passed on");
      }
    };
    const done = (): void => lease.release();
    return new ProxyCall({ upstream: lease.upstream, settings: this.#settings, request, head, mayReuse, inform, done });
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
export function pathMap(request: GatewayRequest, target: ProxyTarget, settings: ProxySettings): PathMap {
  const own = publicAuthority(request)?.toLowerCase();
  const { address, prefix, authority } = target;
  const explicit = "port" in address ? [`${authority.replace(/:\d+$/, "")}:${address.port}`] : [];
  const authorities = [authority, ...explicit, ...(own === undefined ? [] : [own])];
  return { prefix, base: publicBase(request, settings), authorities };
}

/** Whether an error speaks against the upstream: it cannot be reached, or is silent. */
export function isFailure(error: unknown): boolean {
  return error instanceof ProxyError && /_(?:UNREACHABLE|TLS|TIMEOUT)$/.test(error.code);
}
