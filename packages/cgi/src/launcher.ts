// The seam between running a program and starting its process: in this process, or by a broker beside it.
import type { Readable, Writable } from "node:stream";
import type { Lifecycle, Logger, MaybePromise } from "@gw/core";

/** A process to start. */
export interface LaunchSpec {
  /** Program, an absolute path, and its arguments; text. */
  readonly command: readonly [program: string, ...args: readonly string[]];
  /** Working directory, an absolute path. */
  readonly cwd: string;
  /** The whole environment: names and values are byte strings. */
  readonly environment: Readonly<Record<string, string>>;
  /** Whether there is a body to write to its standard input; otherwise that is empty. */
  readonly hasInput: boolean;
  /** Where its standard error goes, line by line, limited in rate and size (R-C16). */
  readonly log: Logger;
}

/** How a program ended. */
export interface ProgramExit {
  /** Exit code; `null` if a signal ended it. */
  readonly code: number | null;
  /** Signal that ended it; `null` if it exited. Both are `null` where nobody saw its end. */
  readonly signal: string | null;
  /** Why it never ran, where that came out only after `launch`. */
  readonly error?: unknown;
}

/** A program that runs in a process group of its own, with descriptors 0, 1 and 2 (R-C13, R-C20). */
export interface RunningProgram {
  /** Its standard input; `null` without `hasInput`. It may close it at any time (R-C15). */
  readonly input: Writable | null;
  /** Its standard output. */
  readonly output: Readable;
  /** Settles when it has ended and was reaped. Never rejects. */
  readonly exited: Promise<ProgramExit>;
  /**
   * Asked when its output has ended and nobody has told of its exit. Settles once it is certain that it runs on all the
   * same; for one that has ended or is about to, `exited` settles instead. Without this method it counts as running on.
   */
  livesOn?(): Promise<void>;
  /** Asks the group to end, and ends it after the grace time. Does nothing when it has ended. */
  stop(graceMs: number): void;
}

/**
 * Starts programs.
 *
 * `start` and `stop` are called with the mount's; a launcher must also work
 * without them, since tests and small scripts do not start anything.
 */
export interface Launcher extends Pick<Lifecycle, "start" | "stop" | "status"> {
  /** Shown on the status page: `"inprocess"`, `"python"`. */
  readonly name: string;
  /** Whether it can only start an executable file in its own directory: without arguments, as its own user. @default false */
  readonly startsFilesOnly?: boolean;
  /**
   * Starts a program.
   *
   * @throws GatewayError `GW_ENV_BYTES` (400) for bytes this launcher cannot hand over; `GW_CGI_NOT_STARTED` (502);
   *   `GW_CGI_REQUEST_TOO_LARGE` (431) if arguments and variables exceed what the system takes; `GW_CGI_BUSY` (503) out of
   *   processes or descriptors (R-O9).
   */
  launch(spec: LaunchSpec): MaybePromise<RunningProgram>;
}
