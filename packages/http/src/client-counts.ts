// How much each client address has under way: one of them must not take everything (R-O10).
import { type Address, addressKey, GatewayError, HeaderList, type PeerList } from "@gw/core";
import type { HttpExchange } from "./exchange.ts";

/** Counts by client address (IPv6: by /64). It knows only those who have something under way. */
class ClientCounts {
  readonly #counts = new Map<string, number>();
  readonly #most: number;

  /** @param most of one client at once; 0: no limit, and nothing is counted */
  constructor(most: number) {
    this.#most = most;
  }

  isFull(client: Address | null): boolean {
    if (this.#most === 0 || !isSomebody(client)) return false;
    return (this.#counts.get(addressKey(client)) ?? 0) >= this.#most;
  }

  /** Counts one more; `null`: this one is not counted. Call what is given when it is over, once. */
  hold(client: Address | null): (() => void) | null {
    if (this.#most === 0 || !isSomebody(client)) return null;
    const key = addressKey(client);
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    return () => {
      const left = (this.#counts.get(key) ?? 0) - 1;
      if (left > 0) this.#counts.set(key, left);
      else this.#counts.delete(key);
    };
  }
}

/** Whoever comes over a unix socket is a front server, and many clients. */
function isSomebody(client: Address | null): client is Address {
  return client !== null && "host" in client;
}

/** How much one client may have under way; 0: no limit. */
export interface ClientLimits {
  readonly maxConcurrentRequestsPerClient: number;
  readonly maxConnectionsPerClient: number;
}

/** What the clients of one server have under way. */
export class ClientLoad {
  readonly #requests: ClientCounts;
  readonly #connections: ClientCounts;

  constructor({ maxConcurrentRequestsPerClient, maxConnectionsPerClient }: ClientLimits) {
    this.#requests = new ClientCounts(maxConcurrentRequestsPerClient);
    this.#connections = new ClientCounts(maxConnectionsPerClient);
  }

  /**
   * Refuses a client's request too many.
   *
   * @throws GatewayError `GW_HTTP_CLIENT_BUSY` (429)
   */
  check(client: Address | null): void {
    if (!this.#requests.isFull(client)) return;
    throw new GatewayError("GW_HTTP_CLIENT_BUSY", 429, "too many requests of this client at once", {
      headers: HeaderList.from({ "Retry-After": "1" }),
    });
  }

  /** Counts an exchange until it has ended. */
  enter(client: Address | null, exchange: HttpExchange): void {
    const release = this.#requests.hold(client);
    if (release !== null) exchange.onEnd(release);
  }

  /**
   * Counts a connection until its socket has closed; `false`: it is one too many.
   *
   * @param proxies listed peers speak for many clients: theirs are not counted
   */
  admit(
    client: Address | null,
    socket: { once(event: "close", listener: () => void): unknown },
    proxies: PeerList,
  ): boolean {
    if (proxies.includes(client)) return true;
    if (this.#connections.isFull(client)) return false;
    const release = this.#connections.hold(client);
    if (release !== null) socket.once("close", release);
    return true;
  }
}
