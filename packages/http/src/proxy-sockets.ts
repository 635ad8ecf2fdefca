// The WebSockets that are open to the upstreams of one mount: how many there are, and who looks after their limits.
import type { HeaderList, WebSocketAccept } from "@gw/core";
import { ProxyError } from "./proxy-error.ts";
import type { ProxyWebSocketOptions } from "./proxy-options.ts";
import { relay } from "./proxy-relay.ts";
import type { ProxySocket } from "./proxy-socket.ts";

/** How often limits are looked at, at most and at least. */
const CHECK_MS = { often: 20, rarely: 1_000 };

/** The open WebSockets of a mount. */
export class ProxySockets {
  readonly #maxOpen: number;
  readonly #checkMs: number;
  readonly #open: Set<ProxySocket> = new Set();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor({ maxOpen, pingIntervalMs }: Required<ProxyWebSocketOptions>) {
    this.#maxOpen = maxOpen;
    this.#checkMs = Math.max(CHECK_MS.often, Math.min(CHECK_MS.rarely, pingIntervalMs || CHECK_MS.rarely));
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }

  /** @throws ProxyError `GW_PROXY_SOCKETS` (503) if there may be no further one */
  checkRoom(): void {
    if (this.#open.size < this.#maxOpen) return;
    throw new ProxyError(
      "GW_PROXY_SOCKETS",
      `${this.#maxOpen} WebSockets to the upstream are open, as many as may be`,
      {
        headers: [["Retry-After", "1"]],
      },
    );
  }

  /**
   * The client's part of a socket that an upstream has accepted.
   *
   * @param headers fields that the client gets with the accept
   * @throws ProxyError `GW_PROXY_SOCKETS` (503) if others were faster
   */
  accept(socket: ProxySocket, headers: HeaderList): WebSocketAccept {
    this.checkRoom();
    this.#add(socket);
    return {
      kind: "accept",
      subprotocol: socket.subprotocol,
      headers,
      run: (peer) => relay(peer, socket),
      close: () => socket.cut(),
    };
  }

  /** Ends all of them. */
  cut(): void {
    for (const socket of this.#open) socket.cut();
  }

  #add(socket: ProxySocket): void {
    this.#open.add(socket);
    this.#timer ??= setInterval(() => {
      const now = performance.now();
      for (const one of this.#open) one.check(now);
    }, this.#checkMs).unref();
    socket.peer.closed.then(() => {
      this.#open.delete(socket);
      if (this.#open.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    });
  }
}
