// The connections to one address: those in use, and a few that wait for the next request, last in, first out.
import { type Address, type MaybePromise, upstreamAddressText } from "@gw/core";
import { BackendConnection } from "./backend-connection.ts";
import { announcesMultiplexing } from "./values.ts";

/** How connections are kept. */
export interface ConnectionPoolOptions {
  readonly connectTimeoutMs: number;
  readonly maxIdleConnections: number;
  readonly keepAliveMs: number;
  /** Whether the backend is asked if a connection may carry several requests. */
  readonly multiplex: boolean;
}

/** Opens, keeps and closes connections to one backend. */
export class ConnectionPool {
  readonly name: string;
  readonly address: Address;
  readonly #options: ConnectionPoolOptions;
  readonly #idle: { readonly connection: BackendConnection; readonly sinceMs: number }[] = [];
  readonly #all: Set<BackendConnection> = new Set();
  #sweep: NodeJS.Timeout | undefined;
  #isClosed = false;
  /** `null`: not asked, or nobody was there. */
  #takesSeveral: boolean | null;
  #asking: Promise<void> | null = null;
  #opening: Promise<void> | null = null;

  constructor(address: Address, options: ConnectionPoolOptions) {
    this.name = upstreamAddressText(address);
    this.address = address;
    this.#options = options;
    this.#takesSeveral = options.multiplex ? null : false;
  }

  /** Whether a connection may carry several requests at once; the backend is asked once. */
  takesSeveral(): MaybePromise<boolean> {
    return this.#takesSeveral ?? this.#ask();
  }

  async #ask(): Promise<boolean> {
    this.#asking ??= announcesMultiplexing(this.address).then((answer) => {
      this.#takesSeveral ??= answer;
      this.#asking = null;
    });
    await this.#asking;
    return this.#takesSeveral ?? false;
  }

  /** The backend refused a request because of another on its connection, whatever it has announced. */
  takesOne(): void {
    this.#takesSeveral = false;
  }

  /**
   * A connection that others share, or will: the one with the fewest requests under way, one that waits, or a new one, for
   * which all who come meanwhile wait.
   *
   * @param mayReuse whether it may be one that waits
   * @throws FastcgiError `GW_FCGI_UNREACHABLE`
   */
  async share(mayReuse: boolean): Promise<BackendConnection> {
    while (this.#opening !== null) await this.#opening;
    const open = [...this.#all].filter(({ isOpenToOthers }) => isOpenToOthers);
    const waiting = open.sort((one, other) => one.running - other.running)[0] ?? (mayReuse ? this.takeIdle() : null);
    if (waiting !== null) return waiting.reserved();
    // Whoever asked for it may leave; the others still want it.
    const opened = this.open(new AbortController().signal).then((connection) => connection.reserved());
    const settled = (): void => {
      this.#opening = null;
    };
    this.#opening = opened.then(settled, settled);
    return opened;
  }

  /** Whether connections are kept at all. */
  get keeps(): boolean {
    return this.#options.maxIdleConnections > 0 && !this.#isClosed;
  }

  /** Connections that wait. */
  get idle(): number {
    return this.#idle.length;
  }

  /** The connection that was used last; `null` if none waits. */
  takeIdle(): BackendConnection | null {
    for (let entry = this.#idle.pop(); entry !== undefined; entry = this.#idle.pop()) {
      if (entry.connection.isReusable) return entry.connection;
      entry.connection.destroy();
    }
    return null;
  }

  /**
   * A new connection. One that waits is closed first: it may pin the very process that is to take the new one.
   *
   * @throws FastcgiError `GW_FCGI_UNREACHABLE`; the reason of `signal`
   */
  async open(signal: AbortSignal): Promise<BackendConnection> {
    this.#idle.shift()?.connection.destroy();
    const connection = await BackendConnection.open(this.address, {
      timeoutMs: this.#options.connectTimeoutMs,
      signal,
      onClose: (closed) => this.#forget(closed),
    });
    this.#all.add(connection);
    return connection;
  }

  /** Keeps a connection for the next request, if it may be kept; else closes it. */
  give(connection: BackendConnection): void {
    if (connection.running > 0) return; // others are still on it
    if (!this.keeps || !connection.isReusable) {
      connection.destroy();
      return;
    }
    connection.rest();
    this.#idle.push({ connection, sinceMs: performance.now() });
    if (this.#idle.length > this.#options.maxIdleConnections) this.#idle.shift()?.connection.destroy();
    this.#sweep ??= setInterval(() => this.#closeOld(), this.#options.keepAliveMs / 2).unref();
  }

  /** Closes what waits, and everything else as soon as it is given back. */
  close(): void {
    this.#isClosed = true;
    for (const { connection } of this.#idle.splice(0)) connection.destroy();
    clearInterval(this.#sweep);
  }

  /** Closes everything. */
  destroy(): void {
    this.close();
    for (const connection of this.#all) connection.destroy();
  }

  #closeOld(): void {
    const limitMs = performance.now() - this.#options.keepAliveMs;
    while (this.#idle[0] !== undefined && this.#idle[0].sinceMs < limitMs) this.#idle.shift()?.connection.destroy();
    if (this.#idle.length > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  #forget(connection: BackendConnection): void {
    this.#all.delete(connection);
    const at = this.#idle.findIndex((entry) => entry.connection === connection);
    if (at >= 0) this.#idle.splice(at, 1);
  }
}
