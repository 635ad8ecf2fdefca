// What serveFastcgi() can be told, and what it gives back.
import type { Address, AppContext, AppSource, ReadVariablesOptions, SpoolStore } from "@gw/core";
import type { Role } from "./codec/constants.ts";

/** Settings of `serveFastcgi`. */
export interface FastcgiServerOptions extends ReadVariablesOptions {
  /**
   * What web servers may ask of us (§6); what is asked for another role gets FCGI_UNKNOWN_ROLE. A `"filter"` finds its
   * data by `filterData(request)`. Risk: what an `"authorizer"` answers with 200 is let in; `serveAuthorizer(layers)`
   * answers so only for users. @default "responder"
   */
  role?: Role;
  /** Where to listen: `"unix:/run/app.sock"`, `"127.0.0.1:9000"`, `"fd://0"` (FCGI_LISTENSOCK_FILENO); one or several. @default "fd://0" */
  listen?: string | readonly string[];
  /** Permission bits of the files of unix sockets (R-F9). @default 0o660 */
  unixMode?: number;
  /**
   * Peers that may connect over TCP: addresses or networks. Whoever connects can claim to be any client.
   * `FCGI_WEB_SERVER_ADDRS` in the environment narrows the list further (§3.2). @default 127.0.0.1 and ::1 (R-F9)
   */
  allowedPeers?: readonly string[];
  /**
   * Connections at once. For a further one the one that has been idle the longest is closed; if none is idle, the
   * further one is. Told as FCGI_MAX_CONNS. @default 1_000
   */
  maxConnections?: number;
  /** Requests at once on one connection; 1 turns multiplexing off. Told as FCGI_MPXS_CONNS. @default 100 */
  maxRequestsPerConnection?: number;
  /** Variables of one request, bytes. @default 262_144 (R-F8) */
  maxParamsBytes?: number;
  /** Variables of one request. @default 1_000 (R-F8) */
  maxParams?: number;
  /** How long a request may take from FCGI_BEGIN_REQUEST to the end of its variables, milliseconds. @default 60_000 */
  headerTimeoutMs?: number;
  /** How long an app may wait for input before `minBodyBytesPerSecond` counts, milliseconds. @default 20_000 (R-F8) */
  bodyTimeoutMs?: number;
  /** Slowest input while an app waits for it, bytes per second; slower: 408. 0: no limit. @default 500 (R-F8) */
  minBodyBytesPerSecond?: number;
  /** From the end of a request's variables to that of its input, milliseconds; longer: 408. 0: no limit. @default 900_000 */
  requestTimeoutMs?: number;
  /** How long a web server may read nothing of what is sent to it before its connection is closed, milliseconds. 0: no limit. @default 60_000 */
  writeTimeoutMs?: number;
  /** Request body, bytes. @default 10_000_000 (R-H7) */
  maxBodyBytes?: number;
  /** Where input waits that an app does not read, so that it holds up no other request of its connection. @default temporary files */
  spool?: SpoolStore;
  /** Input of one request that may wait there, bytes; beyond, the connection waits for the app. @default 67_108_864 */
  maxSpoolBytes?: number;
  /** How long running requests may take to end at `close` before they are cut. @default 30_000 */
  gracefulTimeoutMs?: number;
  /** How long an idle connection stays open at `close`, for a request that is on its way, milliseconds. @default 100 */
  idleGraceMs?: number;
  /** Log, metrics, counters and backends for the app. @default createContext() */
  context?: AppContext;
}

/** A FastCGI application that runs, or is about to. */
export interface RunningFastcgiServer {
  /** Where it listens, one per `listen`, with real ports; empty before `ready`. */
  readonly addresses: readonly Address[];
  /** Settles when the app has started and every socket listens; rejects if one does not, with nothing left running. */
  readonly ready: Promise<void>;
  /** Stops accepting, finishes running requests (at most `gracefulTimeoutMs`), then stops the app. A second call cuts them. */
  close(): Promise<void>;
  /** Starts the next app and gives it all new requests, lets the old one finish and stops it. If it does not start, nothing has changed (R-O2). */
  reload(nextApp?: AppSource): Promise<void>;
}
