// One child process: its own process group, three descriptors, stderr into the log, TERM then KILL.
import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import type { Duplex, Readable, Writable } from "node:stream";
import { GatewayError } from "../model/errors.ts";
import type { Logger } from "../model/log.ts";
import { guardGroup } from "./guardian.ts";
import { withoutInherited } from "./inherited-descriptors.ts";
import { LineLog } from "./line-log.ts";
import { ProcessGroup } from "./process-group.ts";

/** Inputs of `spawnChild`. */
export interface ChildOptions {
  /** Program and arguments; no shell is involved. */
  command: readonly [program: string, ...args: readonly string[]];
  /** Working directory. @default ours */
  cwd?: string;
  /** The whole environment; nothing of ours is added. Text, written as UTF-8. */
  env: Readonly<Record<string, string>>;
  /** Descriptor 0: nothing, a stream of ours, or one of our descriptors (a listening socket). @default "none" */
  stdin?: "none" | "pipe" | number;
  /** Descriptor 1: nothing, a stream of ours, lines in the log, or our own. @default "log" */
  stdout?: "none" | "pipe" | "log" | "inherit";
  /** Descriptor 2: lines in the log, limited in rate and size (R-C16), or our own. @default "log" */
  stderr?: "log" | "inherit";
  /** Whether descriptor 3 is a socket to us. @default false */
  control?: boolean;
  /** Descriptors of ours that it gets as 4, 5 and so on. @default none */
  pass?: readonly number[];
  /** Where its output goes. */
  log: Logger;
  /** Time after which the group is stopped, milliseconds, counted while anyone holds a stream of it. @default none */
  timeLimitMs?: number;
  /** From TERM to KILL, milliseconds. @default 5_000 */
  stopTimeoutMs?: number;
  /** What asks it to end. @default "SIGTERM" */
  stopSignal?: "SIGTERM" | "SIGQUIT";
  /**
   * What happens to processes that the program started and left behind.
   * `"end"`: they are stopped when it has ended. `"keep"`: they may finish
   * within the time limit while they hold a stream (a CGI program's, R-C18),
   * and live on after that. @default "end"
   */
  leftovers?: "end" | "keep";
  /** Whether the group is also ended when our process is killed: a shell watches over it. For programs that stay. @default false */
  guarded?: boolean;
  /** User to run as; needs privileges. @default ours */
  uid?: number;
  /** Group to run as; needs privileges. @default ours */
  gid?: number;
}

/** How a child ended. */
export interface ChildExit {
  /** Exit code; `null` if a signal ended it. */
  readonly code: number | null;
  /** Signal that ended it; `null` if it exited. */
  readonly signal: NodeJS.Signals | null;
  /** Whether its time limit ended it. */
  readonly timedOut: boolean;
  /** The last lines of its standard error. */
  readonly stderr: string;
}

/** A running child. */
export interface Child {
  /** Process id, and id of its process group. */
  readonly pid: number;
  /** With `stdin: "pipe"`. It may be closed by the child at any time (R-C15): listen for its errors if you care. */
  readonly stdin: Writable | null;
  /** With `stdout: "pipe"`. */
  readonly stdout: Readable | null;
  /** With `control: true`. */
  readonly control: Duplex | null;
  /** Settles when the program has ended and was reaped. Never rejects. */
  readonly exited: Promise<ChildExit>;
  /** TERM to the group, KILL after the grace time; settles when all of the group are gone. @default graceMs `stopTimeoutMs` */
  stop(graceMs?: number): Promise<ChildExit>;
  /** Sends a signal to the group; does nothing when it has ended. */
  signal(name: NodeJS.Signals): void;
}

/**
 * Starts a program as the leader of a new process group.
 *
 * It gets the descriptors 0, 1, 2 (and 3 with `control`) and no other (R-C20).
 * When our process exits, every group is killed.
 *
 * @throws GatewayError `GW_SPAWN` (502; `cause.code` says ENOENT, EACCES, …) or `GW_SPAWN_BUSY` (503: out of processes, memory or descriptors).
 */
export async function spawnChild(options: ChildOptions): Promise<Child> {
  const child = await start(options);
  return new SpawnedChild(child, options);
}

function start({ command: [program, ...args], cwd, env, uid, gid, ...streams }: ChildOptions): Promise<ChildProcess> {
  return new Promise((done, fail) => {
    try {
      const child = spawn(program, args, {
        detached: true,
        // Node would add this variable of ours unless there is one already.
        env: { NODE_V8_COVERAGE: undefined, ...env },
        stdio: stdioOf(streams),
        ...(cwd !== undefined && { cwd }),
        ...(uid !== undefined && { uid }),
        ...(gid !== undefined && { gid }),
      });
      child.once("spawn", () => done(child));
      child.on("error", (error) => fail(spawnError(program, error)));
    } catch (error) {
      fail(spawnError(program, error));
    }
  });
}

function stdioOf({ stdin, stdout, stderr, control = false, pass = [] }: Partial<ChildOptions>): StdioOptions {
  const output = { none: "ignore", pipe: "pipe", log: "pipe", inherit: 1 } as const;
  return withoutInherited([
    stdin === undefined || stdin === "none" ? "ignore" : stdin,
    output[stdout ?? "log"],
    stderr === "inherit" ? 2 : "pipe",
    ...(control || pass.length > 0 ? [control ? ("pipe" as const) : ("ignore" as const)] : []),
    ...pass,
  ]);
}

const retrySoon = [["Retry-After", "1"]] as const;
const BUSY: readonly string[] = ["EAGAIN", "EMFILE", "ENFILE", "ENOMEM"];

function spawnError(program: string, error: unknown): GatewayError {
  const cause = error as NodeJS.ErrnoException;
  const hint = cause.code === "ENOENT" ? " (the program, its interpreter or its working directory is missing)" : "";
  const message = `cannot start ${JSON.stringify(program)}: ${cause.code ?? cause.message}${hint}`;
  return BUSY.includes(cause.code ?? "")
    ? new GatewayError("GW_SPAWN_BUSY", 503, message, { cause, headers: retrySoon })
    : new GatewayError("GW_SPAWN", 502, message, { cause });
}

const LAST_WORDS_MS = 100;

class SpawnedChild implements Child {
  readonly pid: number;
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly control: Duplex | null;
  readonly exited: Promise<ChildExit>;
  readonly #group: ProcessGroup;
  readonly #graceMs: number;
  readonly #stopSignal: "SIGTERM" | "SIGQUIT";
  readonly #streams: readonly (Readable | Writable)[];
  readonly #ended: Promise<void>;
  #timedOut = false;
  #termSent = false;

  constructor(
    child: ChildProcess,
    {
      log,
      stdout,
      timeLimitMs,
      stopTimeoutMs = 5_000,
      stopSignal = "SIGTERM",
      leftovers = "end",
      guarded = false,
    }: ChildOptions,
  ) {
    this.pid = child.pid as number;
    this.#group = new ProcessGroup(this.pid);
    this.#graceMs = stopTimeoutMs;
    this.#stopSignal = stopSignal;
    this.stdin = child.stdin;
    this.stdout = stdout === "pipe" ? child.stdout : null;
    this.control = (child.stdio[3] as Duplex | null | undefined) ?? null;
    this.#streams = child.stdio.filter((stream) => stream !== null && stream !== undefined);
    for (const stream of this.#streams) stream.on("error", () => {}); // a child may close any of them
    const lines = log.child({ pid: this.pid });
    const errors = new LoggedStream(child.stderr, lines, "stderr");
    const output = stdout === "pipe" ? null : new LoggedStream(child.stdout, lines, "stdout");
    this.exited = this.#exit(child, Promise.all([errors.closed, output?.closed]), errors);
    const closed = new Promise<void>((done) => child.once("close", () => done()));
    this.#ended =
      leftovers === "end" ? this.exited.then(() => this.#sweep()) : closed.then(() => this.#group.release());
    if (guarded) void this.#ended.then(guardGroup(this.pid));
    if (timeLimitMs !== undefined) this.#limit(timeLimitMs);
  }

  signal(name: NodeJS.Signals): void {
    this.#group.signal(name);
  }

  async stop(graceMs: number = this.#graceMs): Promise<ChildExit> {
    const giveUpAt = performance.now() + graceMs;
    this.#termSent = true;
    this.#group.signal(this.#stopSignal);
    const kill = setTimeout(() => this.#group.signal("SIGKILL"), graceMs);
    const exit = await this.exited;
    await this.#group.end(Math.max(0, giveUpAt - performance.now()));
    clearTimeout(kill);
    // A process that left the group may hold our streams open for ever.
    for (const stream of this.#streams) stream.destroy();
    return exit;
  }

  #exit(child: ChildProcess, logged: Promise<unknown>, errors: LoggedStream): Promise<ChildExit> {
    return new Promise((done) => {
      child.once("exit", (code, signal) => {
        keepUnread(child);
        const tell = (): void => done({ code, signal, timedOut: this.#timedOut, stderr: errors.tail() });
        // Its last words may still be on their way; whoever holds the pipe does not hold us up.
        const patience = setTimeout(tell, LAST_WORDS_MS);
        void logged.then(() => {
          clearTimeout(patience);
          tell();
        });
      });
    });
  }

  async #sweep(): Promise<void> {
    if (!this.#termSent && this.#group.signal(0)) this.#group.signal("SIGTERM");
    await this.#group.end(this.#graceMs);
  }

  #limit(timeLimitMs: number): void {
    const timer = setTimeout(() => {
      this.#timedOut = true;
      void this.stop();
    }, timeLimitMs);
    void this.#ended.then(() => clearTimeout(timer));
  }
}

/** At the end of a child Node throws away what nobody has begun to read; its owner may come to it later. */
function keepUnread({ stdio }: ChildProcess): void {
  (stdio as unknown as null[]).fill(null);
}

/** A stream of a program that goes to the log, line by line. */
class LoggedStream {
  /** Settles when nobody writes to it any more. */
  readonly closed: Promise<void>;
  readonly #lines: LineLog;

  constructor(stream: Readable | null, log: Logger, name: "stdout" | "stderr") {
    const level = name === "stderr" ? "warn" : "info";
    this.#lines = new LineLog({
      write: (line) => log[level]({ stream: name }, line),
      dropped: (count) => log.warn({ stream: name, dropped: count }, "output of a program was dropped: too many lines"),
    });
    stream?.on("data", (chunk: Uint8Array) => this.#lines.feed(chunk));
    this.closed = new Promise((done) => {
      if (stream === null) return done();
      stream.once("close", () => {
        this.#lines.end();
        done();
      });
    });
  }

  /** Its last lines. */
  tail(): string {
    return this.#lines.tail();
  }
}
