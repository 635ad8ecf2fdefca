// What fastcgiPool() can be told. The words are those of mod_fcgid where it has any.
import type { FastcgiClientOptions } from "../client/options.ts";

/** Inputs of `fastcgiPool`. */
export interface FastcgiPoolOptions extends Omit<FastcgiClientOptions, "idleTimeoutMs" | "maxConnections" | "pauseMs"> {
  /** The program: a path (relative to `cwd`), or a name that is looked up on PATH. It gets a listening socket as descriptor 0. */
  command: string;
  /** Its arguments; no shell is involved. @default none */
  args?: readonly string[];
  /** Its environment besides PATH; nothing of ours is added. @default {} */
  env?: Readonly<Record<string, string>>;
  /** Its working directory. @default the gateway's */
  cwd?: string;
  /** User to run as, by name or number, with its group; needs a gateway that runs as root. @default the gateway's */
  user?: string | number;
  /** Variables that the program gets with each request; text. @default none */
  variables?: Readonly<Record<string, string>>;
  /** Processes that are always there. 0: the first request starts one. @default 1 */
  min?: number;
  /** Most processes; one more for each that is being replaced. @default 4 */
  max?: number;
  /**
   * Requests at once to each process. 1 for programs that answer one after the other, which is most of them (libfcgi,
   * Perl, PHP); more for event loops and threads. @default 1
   */
  requestsPerProcess?: number;
  /** A process that was not needed for so long is ended, down to `min`; milliseconds. @default 300_000 */
  idleTimeoutMs?: number;
  /** Requests after which a process is replaced; 0: never. @default 0 */
  maxRequests?: number;
  /** Age at which a process is replaced, milliseconds; 0: never. @default 0 */
  maxLifetimeMs?: number;
  /** Resident memory of a process beyond which it is replaced, bytes; 0: any. Linux. @default 0 */
  maxRssBytes?: number;
  /** Between two pieces of the answer, milliseconds. @default 60_000 */
  ioTimeoutMs?: number;
  /**
   * How long a process may go on with a request whose client has left before it is replaced, milliseconds. Until then it
   * gets no other. @default 60_000
   */
  busyTimeoutMs?: number;
  /** When a new process counts as ready: when it accepts, or as soon as it was started. @default "accept" */
  ready?: "accept" | "spawn";
  /** Time to get ready, milliseconds. @default 30_000 */
  startTimeoutMs?: number;
  /** How long running requests of a process that is replaced may take, milliseconds. @default 60_000 */
  drainTimeoutMs?: number;
  /** From TERM to KILL, milliseconds. @default 5_000 */
  stopTimeoutMs?: number;
  /** First and longest pause before a process that crashed is started again, milliseconds. @default [1_000, 30_000] */
  backOffMs?: readonly [first: number, longest: number];
}
