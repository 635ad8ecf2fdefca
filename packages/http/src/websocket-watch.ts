// Whether the other side of a WebSocket is still there: it answers pings and takes what is sent to it.
import type { WebSocket } from "ws";

/** Limits of a watched socket. */
export interface SocketWatchOptions {
  /** Time between pings; one that is not answered by the next ends the socket; 0: none. */
  readonly pingIntervalMs: number;
  /** Time in which the other side has to take something of what waits for it. */
  readonly stallMs: number;
}

/** Watches one socket. No timers: asked, not told. */
export class SocketWatch {
  readonly #socket: WebSocket;
  readonly #options: SocketWatchOptions;
  #isUnanswered = false;
  #nextPingMs: number | null = null;
  #unsentBytes = 0;
  #unsentSinceMs = 0;

  constructor(socket: WebSocket, options: SocketWatchOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.on("pong", () => {
      this.#isUnanswered = false;
    });
  }

  /** Cuts a socket whose other side is gone or does not read; says whether it is still there. */
  check(nowMs: number): boolean {
    const { pingIntervalMs, stallMs } = this.#options;
    const isThere = !this.#hasStalled(nowMs, stallMs) && (pingIntervalMs === 0 || this.#ping(nowMs, pingIntervalMs));
    if (!isThere) this.#socket.terminate();
    return isThere;
  }

  #ping(nowMs: number, intervalMs: number): boolean {
    const socket = this.#socket;
    // While we do not read, an answer cannot come: the time for it begins anew.
    if (this.#nextPingMs === null || socket.isPaused) this.#nextPingMs = nowMs + intervalMs;
    if (nowMs < this.#nextPingMs) return true;
    if (this.#isUnanswered) return false;
    if (socket.readyState !== socket.OPEN) return true;
    this.#isUnanswered = true;
    this.#nextPingMs = nowMs + intervalMs;
    socket.ping();
    return true;
  }

  #hasStalled(nowMs: number, limitMs: number): boolean {
    const unsent = this.#socket.bufferedAmount;
    if (unsent === 0 || unsent !== this.#unsentBytes) {
      this.#unsentBytes = unsent;
      this.#unsentSinceMs = nowMs;
      return false;
    }
    return nowMs - this.#unsentSinceMs > limitMs;
  }
}
