// One HTTP/2 connection: its streams, and what a peer may do to it (R-H6, R-H10).
import { constants, type ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import { Connection, LINGER_MS } from "./connection.ts";
import type { Generation } from "./generation.ts";
import type { PeerFacts } from "./peer.ts";
import type { ServerState } from "./server-state.ts";

/** Time over which control frames are counted. */
const WINDOW_MS = 10_000;

/** No stream id is beyond it: a GOAWAY with it says "no new streams soon" and refuses none (RFC 9113 §6.8). */
const LAST_STREAM_ID = 2 ** 31 - 1;

/** A peer that does not answer our PING while we drain gets so many times the usual grace. */
const UNWARNED_FACTOR = 20;

/** What a connection needs of the exchange of a stream. */
export interface StreamExchange {
  readonly generation: Generation;
  check(nowMs: number): void;
  /** No more of the request's body will come. */
  endBody(): void;
  cut(): void;
}

/** The state of one HTTP/2 connection. */
export class Http2Connection extends Connection {
  readonly session: ServerHttp2Session;
  /** Exchanges under way. */
  readonly exchanges: Set<StreamExchange> = new Set();
  /** Streams begun. */
  requests = 0;
  #since: number;
  #seenRequests = 0;
  #controlFrames = 0;
  #windowSince: number;
  #closingSince: number | null = null;
  /** Whether the peer has read that no more streams are wanted. */
  #isWarned = false;

  constructor(state: ServerState, socket: Socket, facts: PeerFacts, session: ServerHttp2Session) {
    super(state, socket, facts);
    this.session = session;
    this.#since = state.now;
    this.#windowSince = state.now;
    session.on("error", () => {}); // "close" of the socket follows
    session.on("ping", () => this.countControlFrame());
    session.on("remoteSettings", () => this.countControlFrame());
    socket.once("end", () => this.#onEnd());
    if (state.isDraining) this.drain();
  }

  /** Counts a frame that costs us work and the peer nothing; too many end the connection. */
  countControlFrame(): void {
    const { now, limits } = this.state;
    if (now - this.#windowSince > WINDOW_MS) {
      this.#windowSince = now;
      this.#controlFrames = 0;
    }
    if (++this.#controlFrames > limits.maxControlFrames) this.refuse(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  /** GOAWAY with an error code, then the end. */
  refuse(code: number): void {
    if (!this.session.destroyed) this.session.destroy(code as unknown as Error); // a number is the code of the GOAWAY; the types do not know
  }

  onClose(): void {}

  cutExchangesOf(generation: Generation): void {
    for (const exchange of this.exchanges) if (exchange.generation === generation) exchange.cut();
  }

  drain(): void {
    this.#since = this.state.now;
    if (this.session.destroyed) return;
    // First a warning: streams that are on their way are still served. Who has answered the PING has read the warning
    // (RFC 9113 §6.8).
    this.session.goaway(constants.NGHTTP2_NO_ERROR, LAST_STREAM_ID);
    this.session.ping(() => {
      this.#isWarned = true;
    });
  }

  check(nowMs: number): void {
    for (const exchange of this.exchanges) exchange.check(nowMs);
    if (this.#closingSince !== null) {
      if (this.exchanges.size > 0) this.#closingSince = nowMs;
      else if (nowMs - this.#closingSince > LINGER_MS) this.socket.destroy();
    } else if (this.state.isDraining) {
      const patienceMs = this.state.idleGraceMs * (this.#isWarned ? 1 : UNWARNED_FACTOR);
      if (nowMs - this.#since >= patienceMs) this.#closeWhenDone();
    } else if (this.exchanges.size > 0 || this.requests !== this.#seenRequests) {
      this.#seenRequests = this.requests;
      this.#since = nowMs;
    } else if (nowMs - this.#since > this.#allowedIdleMs()) this.#closeWhenDone();
  }

  override cut(): void {
    this.session.destroy();
    super.cut();
  }

  /** The peer sends nothing more: what it has asked for whole is finished. */
  #onEnd(): void {
    for (const exchange of this.exchanges) exchange.endBody();
    this.#closeWhenDone();
  }

  #allowedIdleMs(): number {
    const { headerTimeoutMs, keepAliveTimeoutMs } = this.state.limits;
    return this.requests === 0 ? headerTimeoutMs : keepAliveTimeoutMs;
  }

  /** The final GOAWAY: open streams are finished, then the connection closes. */
  #closeWhenDone(): void {
    this.#closingSince = this.state.now;
    if (!this.session.destroyed) this.session.close();
  }
}
