// One child process: its own process group, three descriptors, stderr into the log, TERM then KILL.
import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import type { Duplex, Readable, Writable } from "node:stream";
import { GatewayError } from "../model/errors.ts";
import type { Logger } from "../model/log.ts";

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
  /** Descriptor 1: nothing, a stream of ours, or lines in the log. @default "log" */
  stdout?: "none" | "pipe" | "log";
  /** Whether descriptor 3 is a socket to us. @default false */
  control?: boolean;
  /** Where standard error goes, line by line, limited in rate and size (R-C16). */
  log: Logger;
  /** Life time after which the group is stopped, milliseconds. @default none */
  timeLimitMs?: number;
  /** From TERM to KILL, milliseconds. @default 5_000 */
  stopTimeoutMs?: number;
  /** User and group to run as; needs privileges. @default ours */
  uid?: number;
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
  /** With `stdin: "pipe"`; errors such as EPIPE are yours to handle: the child may close it at any time (R-C15). */
  readonly stdin: Writable | null;
  /** With `stdout: "pipe"`. */
  readonly stdout: Readable | null;
  /** With `control: true`. */
  readonly control: Duplex | null;
  /** Settles when it has ended and was reaped. Never rejects. */
  readonly exited: Promise<ChildExit>;
  /** TERM to the group, then KILL after the grace time. @default graceMs `stopTimeoutMs` */
  stop(graceMs?: number): Promise<ChildExit>;
  /** Sends a signal to the group; does nothing when it has ended. */
  signal(name: NodeJS.Signals): void;
}

/**
 * Starts a program.
 *
 * @throws GatewayError `GW_SPAWN` (502; `cause.code` says ENOENT, EACCES, …) or `GW_SPAWN_BUSY` (503: out of processes or descriptors).
 */
export async function spawnChild({
  command: [program, ...args],
  cwd,
  env,
  stdin = "none",
  stdout = "log",
  control = false,
  stopTimeoutMs = 5_000,
  timeLimitMs,
  uid,
  gid,
}: ChildOptions): Promise<Child> {
  const stdio: StdioOptions = [
    stdin === "none" ? "ignore" : stdin,
    stdout === "pipe" ? "pipe" : "ignore",
    "ignore",
    ...(control ? (["pipe"] as const) : []),
  ];
  const child: ChildProcess = spawn(program, args, {
    detached: true,
    env,
    stdio,
    ...(cwd !== undefined && { cwd }),
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
  });
  await new Promise<void>((done, fail) => {
    child.once("spawn", done);
    child.once("error", (cause: NodeJS.ErrnoException) => {
      fail(new GatewayError("GW_SPAWN", 502, `cannot start ${program}: ${cause.message}`, { cause }));
    });
  });
  const pid = child.pid as number;
  let timedOut = false;
  const exited = new Promise<ChildExit>((done) => {
    child.once("exit", (code, signal) => done({ code, signal, timedOut, stderr: "" }));
  });
  const signal = (name: NodeJS.Signals): void => {
    try {
      process.kill(-pid, name);
    } catch {
      // ESRCH: it has ended
    }
  };
  const stop = async (graceMs: number = stopTimeoutMs): Promise<ChildExit> => {
    signal("SIGTERM");
    const kill = setTimeout(() => signal("SIGKILL"), graceMs);
    const exit = await exited;
    clearTimeout(kill);
    return exit;
  };
  if (timeLimitMs !== undefined) {
    const timer = setTimeout(() => {
      timedOut = true;
      void stop();
    }, timeLimitMs);
    void exited.then(() => clearTimeout(timer));
  }
  return {
    pid,
    stdin: child.stdin,
    stdout: child.stdout,
    control: (child.stdio[3] as Duplex | null | undefined) ?? null,
    exited,
    stop,
    signal,
  };
}
