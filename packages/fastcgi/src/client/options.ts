// What fastcgi() can be told.
import type { DeadlineOptions, HealthOptions, SpoolStore, WaitQueueOptions } from "@gw/core";

/** How a client treats the backends behind it; the part that has nothing to do with where they are. */
export interface FastcgiClientOptions extends DeadlineOptions, HealthOptions, WaitQueueOptions {
  /** Time to connect, milliseconds. @default 5_000 (R-F19) */
  connectTimeoutMs?: number;
  /** From the request to the end of the header block, milliseconds. @default 60_000 */
  headerTimeoutMs?: number;
  /** Between two pieces of the answer, milliseconds. @default 60_000 */
  idleTimeoutMs?: number;
  /** Until the end of the answer, milliseconds; time in which we wait for the client does not count. @default none */
  timeoutMs?: number;
  /** Requests at once to each address; further ones wait. @default 16 */
  maxConnections?: number;
  /**
   * Connections kept open to each address; 0: a connection for each request. Risk: a kept connection pins one process
   * of the backend; PHP-FPM with another `pm` than static then stalls the next connection (see `phpFpm`). @default 4
   */
  maxIdleConnections?: number;
  /**
   * Whether several requests may share a connection, if the backend announces that it takes them (FCGI_MPXS_CONNS): it is asked
   * once, at a connection of its own. Few do; `serveFastcgi` does. @default false
   */
  multiplex?: boolean;
  /** How long a connection is kept that nobody uses, milliseconds. @default 10_000 */
  keepAliveMs?: number;
  /** Whether Authorization is passed on, unless a layer consumed it (R-C6). @default true */
  authorization?: boolean;
  /** Where bodies of unknown length wait until their length is known. @default temporary files */
  spool?: SpoolStore;
  /** Directories whose files a backend may send by `X-Sendfile: /absolute/file`. @default none */
  sendfileRoots?: readonly string[];
  /** Directories by the path a backend says in `X-Accel-Redirect: /path/file`: `{ "/protected/": "/srv/files" }`. @default none */
  accelRoots?: Readonly<Record<string, string>>;
}

/** Inputs of `fastcgi`. */
export interface FastcgiOptions extends FastcgiClientOptions {
  /** Where the backend listens: `"127.0.0.1:9000"`, `"unix:/run/app.sock"`. This or `addresses`. */
  address?: string;
  /** Several backends for the same: each request goes to the least busy one that works. */
  addresses?: readonly string[];
  /** Variables that the backend gets besides the request's: `SCRIPT_FILENAME`, `DOCUMENT_ROOT`; text. @default none */
  variables?: Readonly<Record<string, string>>;
}
