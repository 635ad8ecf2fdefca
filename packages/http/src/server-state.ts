// What all connections of a server share.
import type { Socket } from "node:net";
import type { Logger } from "@gw/core";
import type { ClientLoad } from "./client-counts.ts";
import type { Generation } from "./generation.ts";
import type { HttpLimits } from "./limits.ts";
import type { RequestRules } from "./request-rules.ts";
import type { WebSocketSettings } from "./websocket-settings.ts";

/** A connection as its server sees it. */
export interface OpenConnection {
  /** Settles when the socket has closed. */
  readonly closed: Promise<void>;
  /** Looks at the time limits; called about once a second with the monotonic time. */
  check(nowMs: number): void;
  /** No more requests are wanted: finish what runs, close when idle for `idleGraceMs`. */
  drain(): void;
  /** Cuts the exchanges of an app that is gone. */
  cutExchangesOf(generation: Generation): void;
  /** Cuts the connection. */
  cut(): void;
}

/** While draining, a connection that has asked nothing yet gets so many times the grace of one that has. */
export const FIRST_REQUEST_FACTOR = 10;

/** The state of one server, shared by its connections. */
export interface ServerState {
  /** The app that new requests go to; `reload` replaces it. */
  generation: Generation;
  readonly limits: HttpLimits;
  /** What each client has under way. */
  readonly clients: ClientLoad;
  readonly rules: RequestRules;
  readonly webSocket: WebSocketSettings;
  readonly log: Logger;
  /** Every accepted socket, also those whose first bytes are awaited. */
  readonly sockets: Set<Socket>;
  /** Every connection that speaks HTTP. */
  readonly connections: Set<OpenConnection>;
  /** Milliseconds of the monotonic clock at the last look at the connections: cheap to read, up to a second old. */
  now: number;
  /** Whether no more requests are wanted: answers ask to close. */
  isDraining: boolean;
  /** How long an idle connection stays open while draining. */
  readonly idleGraceMs: number;
}
