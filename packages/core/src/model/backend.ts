// Programs that run beside the gateway: what to run, and what is known of it while it runs.

/** A program to keep running. Plain data, so that it can be asked of another process. */
export interface BackendSpec {
  /** Name in logs, metrics and the status page; unique in a gateway. */
  readonly name: string;
  /** Program and its arguments; no shell is involved. */
  readonly command: readonly [program: string, ...args: readonly string[]];
  /**
   * Files that the program reads: content by name, written before the first start, readable for the program's user
   * alone, removed with the backend. `$GW_FILES` in an argument stands for their folder. @default none
   */
  readonly files?: Readonly<Record<string, string>>;
  /** Working directory. @default the gateway's */
  readonly cwd?: string;
  /** The whole environment of the program; nothing of ours is added but `GW_SOCKET`, where `socket` says so. */
  readonly env: Readonly<Record<string, string>>;
  /** Processes to keep; with 0, `resize` starts them. @default 1 */
  readonly processes?: number;
  /**
   * Under several gateway workers: what each of them asks of `resize` is its own need, and the needs are added up, from
   * `processes` to this. Without it there are as many as the most demanding worker asks for.
   */
  readonly maxProcesses?: number;
  /**
   * What the program listens on. `"fd0"`: descriptor 0 is a listening unix socket that all processes share, in
   * blocking mode (FastCGI 1.0 §2.2). `"own-fd0"`: descriptor 0 is one that the process has for itself.
   * `"path"`: each process makes the unix socket whose path is in `GW_SOCKET`.
   */
  readonly socket: "fd0" | "own-fd0" | "path" | "none";
  /**
   * When a process counts as ready. `"spawn"`: at once. `"connect"`: the socket at its own path accepts.
   * `"line"`: it wrote the line `ready` to descriptor 3; a line `failed …` there says why it will not be.
   * `"accept"`: it has taken a connection at its own socket, one that asks nothing, and closed it.
   */
  readonly ready: "spawn" | "connect" | "line" | "accept";
  /** Time to become ready, milliseconds. @default 30_000 */
  readonly startTimeoutMs?: number;
  /**
   * How long those who are connected to a process that is replaced or not needed any more may stay before it gets TERM,
   * milliseconds. Not at `stop`. Only for sockets of its own, and where the kernel tells (Linux). @default 0
   */
  readonly drainTimeoutMs?: number;
  /** From TERM to KILL of the process group, milliseconds. @default 5_000 */
  readonly stopTimeoutMs?: number;
  /** What asks the group to end; QUIT for PHP-FPM, which then finishes its requests. @default "SIGTERM" */
  readonly stopSignal?: "SIGTERM" | "SIGQUIT";
  /** First and longest pause before a crashed process is started again, milliseconds. @default [1_000, 30_000] */
  readonly backOffMs?: readonly [first: number, longest: number];
  /** User to run as; needs privileges. @default the gateway's */
  readonly uid?: number;
  /** Group to run as; needs privileges. @default the gateway's */
  readonly gid?: number;
}

/**
 * State of a backend or mount, as shown on the status page.
 *
 * `starting`: none is ready yet and none has failed. `ready`: all are.
 * `degraded`: some are. `failed`: none is, and one has failed; it is tried again. `stopped`: for good.
 */
export type BackendState = "starting" | "ready" | "degraded" | "failed" | "stopped";

/** One process of a backend. */
export interface BackendProcess {
  readonly pid: number;
  readonly state: "starting" | "ready" | "stopping";
  /** Path of its own unix socket, or of the one it shares; `null` if it has none. */
  readonly address: string | null;
  /** When it was started, milliseconds since 1970. */
  readonly startedAt: number;
}

/** A running backend. */
export interface Backend {
  readonly name: string;
  readonly state: BackendState;
  /** Paths of the unix sockets where it accepts: one per ready process, or the shared one while any is ready. */
  readonly addresses: readonly string[];
  /** Its processes, oldest first. */
  readonly processes: readonly BackendProcess[];
  /** Settles when one process is ready for the first time, rejects if one fails before. It goes on trying either way. */
  readonly ready: Promise<void>;
  /** The last error: exit code, signal and the end of its stderr; `null` while all is well. */
  readonly lastError: string | null;
  /** Calls the function whenever one of the above has changed. @returns ends that */
  onChange(listener: () => void): () => void;
  /**
   * Replaces every process, one after the other, by a new one that is ready before the old one is asked to stop.
   *
   * @throws GatewayError `GW_BACKEND_FAILED` when a new one does not get ready; the old ones stay.
   */
  roll(): Promise<void>;
  /**
   * Like `roll` for one process; does nothing when there is no ready process with this id.
   *
   * @param options.drain whether those who are connected may stay (`drainTimeoutMs`); not for one that hangs. @default true
   */
  recycle(pid: number, options?: { readonly drain?: boolean }): Promise<void>;
  /** Changes the number of processes; settles when those that are too many have ended. */
  resize(processes: number): Promise<void>;
  /** TERM, wait, KILL; settles when all are gone. */
  stop(): Promise<void>;
}

/** Starts backends: in this process when alone, in the primary under several workers, so that pools are counted once. */
export interface Backends {
  /** @throws GatewayError `GW_BACKEND_SPEC`; `GW_BACKEND_NAME` if one of this name runs. */
  start(spec: BackendSpec): Promise<Backend>;
}
