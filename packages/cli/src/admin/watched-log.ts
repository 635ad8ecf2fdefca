// A logger that also tells of warnings and errors, for the status page.
import type { LogMethod } from "@gw/core";
import type { LeveledLogger, LogLevel } from "@gw/core/node";
import type { LoggedError, RecentError } from "./control.ts";

type Level = LoggedError["level"];

/** Most that are told within a second: the log has them all. */
const MOST_PER_SECOND = 20;

/** Wraps a logger: what it logs as warning or worse is told, too, in plain words without facts. */
export function watchedLog(log: LeveledLogger, tell: (error: LoggedError) => void): LeveledLogger {
  let second = 0;
  let count = 0;
  const limited = (error: LoggedError): void => {
    const now = Math.floor(performance.now() / 1_000);
    if (now !== second) [second, count] = [now, 0];
    if (++count <= MOST_PER_SECOND) tell(error);
  };
  return new WatchedLog(log, limited);
}

class WatchedLog implements LeveledLogger {
  readonly trace: LogMethod;
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  readonly fatal: LogMethod;
  readonly #log: LeveledLogger;
  readonly #tell: (error: LoggedError) => void;

  constructor(log: LeveledLogger, tell: (error: LoggedError) => void) {
    this.#log = log;
    this.#tell = tell;
    this.trace = log.trace.bind(log);
    this.debug = log.debug.bind(log);
    this.info = log.info.bind(log);
    this.warn = this.#watched("warn");
    this.error = this.#watched("error");
    this.fatal = this.#watched("fatal");
  }

  get level(): LogLevel {
    return this.#log.level;
  }

  set level(level: LogLevel) {
    this.#log.level = level;
  }

  child(facts: object): LeveledLogger {
    return new WatchedLog(this.#log.child(facts), this.#tell);
  }

  flush(): Promise<void> {
    return this.#log.flush();
  }

  #watched(level: Level): LogMethod {
    const write = this.#log[level].bind(this.#log) as (...words: readonly unknown[]) => void;
    return (facts: object | string, message?: string): void => {
      write(facts, message);
      this.#tell({ at: Date.now(), level, message: messageOf(facts, message), pid: process.pid });
    };
  }
}

const MOST_CHARACTERS = 300;

function messageOf(facts: object | string, message: string | undefined): string {
  if (typeof facts === "string") return facts.slice(0, MOST_CHARACTERS);
  const { err } = facts as { err?: unknown };
  const cause = err instanceof Error ? err.message : null;
  const text = message === undefined ? (cause ?? "") : cause === null ? message : `${message}: ${cause}`;
  return text.slice(0, MOST_CHARACTERS);
}

const KEPT = 50;

/** The latest errors, the newest first. What is said again and again is there once, with how often. */
export class RecentErrors {
  #errors: readonly RecentError[] = [];

  get list(): readonly RecentError[] {
    return this.#errors;
  }

  add(error: LoggedError): void {
    const isSame = ({ level, message }: LoggedError): boolean => level === error.level && message === error.message;
    const times = (this.#errors.find(isSame)?.times ?? 0) + 1;
    const others = this.#errors.filter((one) => !isSame(one));
    this.#errors = [{ ...error, times }, ...others].slice(0, KEPT);
  }
}
