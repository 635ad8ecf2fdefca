// The default logger: pino's shape, one line per event, text for people or JSON for machines.
import type { Logger } from "../model/log.ts";

/** Levels, from everything to nothing. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";

/** Where finished lines go; each ends with a newline. */
export type LogDestination = (line: string) => void;

/** Settings of `createLogger`. */
export interface LoggerOptions {
  /** Least level that is written. @default "info" */
  level?: LogLevel;
  /** `"text"` for people, `"json"` for machines: one object per line. @default "text" */
  format?: "text" | "json";
  /** @default standard error, without blocking */
  destination?: LogDestination;
  /** Facts on every line. @default {} */
  facts?: object;
}

/** A logger whose level can be changed at run time, for it and all of its children. */
export interface LeveledLogger extends Logger {
  level: LogLevel;
  /** Settles when everything logged so far has been written (or dropped). */
  flush(): Promise<void>;
}

const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

/** Makes a logger. */
export function createLogger({
  level = "info",
  format = "text",
  destination = (line) => process.stderr.write(line),
  facts = {},
}: LoggerOptions = {}): LeveledLogger {
  const shared = { level, format, destination };
  return make(shared, facts);
}

function make(shared: { level: LogLevel; format: string; destination: LogDestination }, base: object): LeveledLogger {
  const method = (level: LogLevel) => (facts: object | string, message?: string) => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(shared.level)) return;
    const given = typeof facts === "string" ? { msg: facts } : { ...facts, msg: message };
    shared.destination(`${JSON.stringify({ level, time: new Date().toISOString(), ...base, ...given })}\n`);
  };
  return {
    trace: method("trace"),
    debug: method("debug"),
    info: method("info"),
    warn: method("warn"),
    error: method("error"),
    fatal: method("fatal"),
    child: (facts) => make(shared, { ...base, ...facts }),
    get level() {
      return shared.level;
    },
    set level(level) {
      shared.level = level;
    },
    flush: async () => {},
  };
}
