// Asks upstreams: picks one, and tries once more where that is safe (R-F14).
import {
  type Answer,
  type GatewayRequest,
  inPhase,
  mayRetry,
  type RequestHead,
  type Status,
  UpstreamGroup,
  type UpstreamGroupOptions,
  type UpstreamLease,
} from "@gw/core";
import { ProxyAttempt } from "./proxy-attempt.ts";
import type { ProxySettings } from "./proxy-options.ts";
import { ProxySockets } from "./proxy-sockets.ts";
import { ProxyUpstream } from "./proxy-upstream.ts";

/** The upstreams of one mount. */
export class ProxyClient {
  readonly settings: ProxySettings;
  readonly #group: UpstreamGroup<ProxyUpstream>;
  readonly #sockets: ProxySockets;

  constructor(settings: ProxySettings, options: UpstreamGroupOptions) {
    this.settings = settings;
    this.#sockets = new ProxySockets(settings.webSocket);
    const upstreams = settings.targets.map((target) => new ProxyUpstream(target, settings));
    this.#group = new UpstreamGroup(upstreams, { ...options, maxConnections: options.maxConnections ?? 256 });
  }

  /** A place at an upstream. @throws GatewayError `GW_UPSTREAM_BUSY` */
  async take(
    { signal, exchange }: RequestHead,
    avoid: ProxyUpstream | null = null,
  ): Promise<UpstreamLease<ProxyUpstream>> {
    return inPhase(exchange, "queue", () => this.#group.take(signal, avoid));
  }

  /** One attempt, and where that is safe a second one: at another upstream, or on a new connection. */
  async answer(request: GatewayRequest): Promise<Answer> {
    const { body } = request;
    // A kept connection may have been closed under our hands. Who could not be asked again gets a fresh one.
    const canRepeat = request.kind === "http" && mayRetry(request, false);
    if (request.kind === "websocket") this.#sockets.checkRoom();
    const first = this.#attempt(request);
    try {
      return await first.run(await this.take(request), canRepeat);
    } catch (error) {
      const isElsewhere = first.call?.wasUnreachable === true && this.#group.members.length > 1;
      const isAgain = first.call?.wasStale === true && (body.length === 0 || body.replayable);
      if (request.signal.aborted || (!isElsewhere && !isAgain)) throw error;
      request.exchange.log.debug({ err: error }, "the request is sent to an upstream once more");
      const lease = await this.take(request, isElsewhere ? first.upstream : null);
      return this.#attempt(request).run(lease, false);
    }
  }

  #attempt(request: GatewayRequest): ProxyAttempt {
    return new ProxyAttempt(request, this.settings, this.#sockets);
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
      facts: { running: this.#group.running, queued: this.#group.queued, idle, sockets: this.#sockets.size },
    };
  }

  /** Lets running requests and open sockets finish until the deadline, then cuts them. */
  stop(deadline: AbortSignal): void {
    if (deadline.aborted) this.#sockets.cut();
    else deadline.addEventListener("abort", () => this.#sockets.cut(), { once: true });
    for (const { upstream } of this.#group.members) {
      upstream.rest();
      if (deadline.aborted) upstream.destroy();
      else deadline.addEventListener("abort", () => upstream.destroy(), { once: true });
    }
  }
}
