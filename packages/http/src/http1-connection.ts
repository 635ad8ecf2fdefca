// One HTTP/1.x connection: requests one after the other (R-H9), and the time each step may take (R-H6).
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { GatewayError } from "@gw/core";
import { Connection, LINGER_MS } from "./connection.ts";
import type { Generation } from "./generation.ts";
import type { Http1Link, Http1Sender } from "./http1-sender.ts";
import type { HttpLimits } from "./limits.ts";
import type { PeerFacts } from "./peer.ts";
import { refusalText } from "./refusal.ts";
import { FIRST_REQUEST_FACTOR, type ServerState } from "./server-state.ts";

/** A pipelined request that waits for its turn. */
export interface WaitingRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Whether the client waits for `100 Continue`. */
  readonly expectsContinue: boolean;
}

/** Starts a request on a connection whose turn it is. */
export type Begin = (
  connection: Http1Connection,
  req: IncomingMessage,
  res: ServerResponse,
  expectsContinue: boolean,
) => void;

/** The state of one HTTP/1.x connection. */
export class Http1Connection extends Connection implements Http1Link {
  /** The exchange under way: one at a time. */
  current: Http1Sender | null = null;
  /** Requests begun. */
  requests = 0;
  /** Whether requests that arrive are still served. */
  #takesMore = true;
  readonly limits: HttpLimits;
  readonly isOurs = true;
  readonly #begin: Begin;
  #waiting: WaitingRequest[] = [];
  #isClosing = false;
  /** When the present phase began: waiting for a request, draining a body, closing. */
  #since: number;
  /** Requests and bytes at the last look: more bytes without a request are the head of the next one. */
  #seenRequests = 0;
  #seenBytes = 0;
  #headSince: number | null = null;

  constructor(state: ServerState, socket: Socket, facts: PeerFacts, begin: Begin) {
    super(state, socket, facts);
    this.limits = state.limits;
    this.#begin = begin;
    this.#since = state.now;
    socket.on("timeout", () => socket.destroy()); // node:http's own listener goes with an upgrade
  }

  /** Whether the next request can begin at once. */
  get isFree(): boolean {
    return this.current === null && this.#waiting.length === 0 && this.#takesMore;
  }

  get isLast(): boolean {
    return (!this.#takesMore || this.state.isDraining) && this.#waiting.length === 0;
  }

  takeNoMore(): void {
    this.#takesMore = false;
  }

  /** Keeps a pipelined request until those before it are answered; drops it after the last one that will be. */
  wait(waiting: WaitingRequest): void {
    if (!this.#takesMore) return;
    if (this.#waiting.length < this.limits.maxPipelinedRequests) this.#waiting.push(waiting);
    else this.#takesMore = false;
  }

  writeHead(res: ServerResponse, status: number, lines: readonly string[]): void {
    res.writeHead(status, lines as string[]);
  }

  /** The current exchange is over: on to the next one. */
  next(): void {
    this.current = null;
    this.#since = this.state.now;
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) this.#begin(this, waiting.req, waiting.res, waiting.expectsContinue);
  }

  /** From now on the client is cut off if it takes nothing for `writeTimeoutMs`. */
  watchWrites(): void {
    this.socket.setTimeout(this.limits.writeTimeoutMs);
  }

  /** The client has taken everything. */
  unwatchWrites(): void {
    this.socket.setTimeout(0);
  }

  /** What follows the current head is no HTTP: its body ends in an error, and nothing is served after it. */
  failBody(error: unknown): void {
    this.#takesMore = false;
    this.#waiting = [];
    this.current?.failBody(error);
  }

  /** What arrives from now on is thrown away. */
  beginDrain(): void {
    this.#takesMore = false;
    this.#since = this.state.now;
  }

  /** Ends our side and leaves the client a moment to read what was sent. */
  closeGently(lastWords = ""): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#takesMore = false;
    this.#waiting = [];
    this.#since = this.state.now;
    this.socket.end(lastWords, "latin1");
  }

  onClose(): void {
    this.#waiting = [];
    this.current?.abort();
  }

  cutExchangesOf(generation: Generation): void {
    if (this.current?.generation === generation) this.cut();
  }

  drain(): void {
    this.#since = this.state.now;
  }

  check(nowMs: number): void {
    const { limits } = this;
    const forMs = nowMs - this.#since;
    if (this.#isClosing) {
      if (forMs > LINGER_MS) this.socket.destroy();
    } else if (this.current !== null) {
      this.current.check(nowMs, forMs);
    } else if (this.#isReadingHead(nowMs)) {
      if (nowMs - (this.#headSince ?? nowMs) > limits.headerTimeoutMs) this.#refuseSlowHead();
    } else if (forMs > this.#allowedIdleMs()) {
      this.socket.destroy();
    }
  }

  #allowedIdleMs(): number {
    const { headerTimeoutMs, keepAliveTimeoutMs } = this.limits;
    if (this.state.isDraining) return this.state.idleGraceMs * (this.requests === 0 ? FIRST_REQUEST_FACTOR : 1);
    return this.requests === 0 ? headerTimeoutMs : keepAliveTimeoutMs;
  }

  #isReadingHead(nowMs: number): boolean {
    const { bytesRead } = this.socket;
    if (this.requests !== this.#seenRequests) {
      this.#seenRequests = this.requests;
      this.#seenBytes = bytesRead;
      this.#headSince = null;
    } else if (bytesRead !== this.#seenBytes) {
      this.#headSince ??= this.requests === 0 ? this.#since : nowMs;
    }
    return this.#headSince !== null;
  }

  #refuseSlowHead(): void {
    const { headerTimeoutMs } = this.limits;
    this.closeGently(
      refusalText(
        new GatewayError("GW_HTTP_HEADER_SLOW", 408, `the request head took longer than ${headerTimeoutMs} ms`),
      ),
    );
  }
}
