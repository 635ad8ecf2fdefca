// The default logger: pino's shape, one line per event, text for people or JSON for machines.
import { isatty } from "node:tty";
import type { Logger } from "../model/log.ts";
import { logFile } from "./log-file.ts";
import { jsonFormat, type LineLevel, type LogFormat, textFormat } from "./log-format.ts";
import { descriptorWriter, type LogWriter } from "./log-queue.ts";

/** Levels, from everything to nothing. */
export type LogLevel = LineLevel | "silent";

/** Takes finished lines, each with its newline. Called at once, in order; must not block or throw. */
export type LogDestination = (line: string) => void;

/** Settings of `createLogger`. */
export interface LoggerOptions {
  /** Least level that is written; can be changed later. @default "info" */
  level?: LogLevel;
  /** `"text"` for people, `"json"` for machines: one object per line. @default "text" */
  format?: "text" | "json";
  /** A descriptor or a file to append to, written without blocking requests, or a function. @default 2 */
  destination?: number | { readonly path: string } | LogDestination;
  /** Facts on every line. @default {} */
  facts?: object;
  /** Whether text lines are coloured. @default on a terminal, unless NO_COLOR is set */
  colour?: boolean;
  /** Most bytes that wait for a slow reader of the descriptor; more lines are dropped and counted. @default 1_048_576 */
  maxQueuedBytes?: number;
}

/** A logger whose level can be changed at run time, for itself, its children and its parents alike. */
export interface LeveledLogger extends Logger {
  /** @throws TypeError for a word that is no level. */
  level: LogLevel;
  child(facts: object): LeveledLogger;
  /** Settles when everything logged so far has been written or given up. */
  flush(): Promise<void>;
}

const RANKS: Readonly<Record<LogLevel, number>> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
  silent: 100,
};

/** The levels, least first. */
export const logLevels: readonly LogLevel[] = Object.keys(RANKS) as LogLevel[];

/**
 * Makes a logger.
 *
 * One event is one line: control bytes are escaped, values under names such as
 * `authorization` or `cookie` are replaced by `[secret]` (R-O13). Errors are
 * written with type, code, message and the chain of their causes; only on a
 * terminal the frames of a stack follow on lines of their own.
 *
 * @throws TypeError for a word that is no level; GatewayError `GW_LOG_FILE` for a file that cannot be opened.
 */
export function createLogger(options: LoggerOptions = {}): LeveledLogger {
  const { level = "info", destination = 2, facts = {}, maxQueuedBytes = 1_048_576 } = options;
  const format = formatOf(options, destination);
  const writer = writerOf(destination, format, maxQueuedBytes);
  const family: Family = { level, rank: rankOf(level), format, writer };
  return new NodeLogger(family, null, facts);
}

type Destination = NonNullable<LoggerOptions["destination"]>;

function writerOf(destination: Destination, format: LogFormat, maxQueuedBytes: number): LogWriter {
  if (typeof destination === "function") return callWriter(destination);
  if (typeof destination === "number") return queueWriter(destination, format, maxQueuedBytes);
  const file = logFile(destination.path, { maxQueuedBytes, droppedLine: droppedLineOf(format) });
  file.open();
  return file;
}

function formatOf({ format, colour }: LoggerOptions, destination: Destination): LogFormat {
  if (format === "json") return jsonFormat;
  const terminal = typeof destination === "number" && isatty(destination);
  const plain = (process.env.NO_COLOR ?? "") !== "" || process.env.TERM === "dumb";
  return textFormat({ colour: colour ?? (terminal && !plain), stackLines: terminal });
}

const shared = new Map<string, LogWriter>();

/** One queue for all loggers of standard output or error, so that their lines keep their order. */
function queueWriter(fd: number, format: LogFormat, maxQueuedBytes: number): LogWriter {
  const key = `${fd} ${format === jsonFormat} ${maxQueuedBytes}`;
  const found = shared.get(key);
  if (found !== undefined) return found;
  const writer = descriptorWriter(fd, { maxQueuedBytes, droppedLine: droppedLineOf(format) });
  if (fd <= 2) shared.set(key, writer);
  return writer;
}

function droppedLineOf(format: LogFormat): (count: number) => string {
  return (count) =>
    format.writeLine({
      level: "warn",
      time: now(),
      message: "log lines were dropped: their reader is too slow",
      prefix: "",
      facts: { dropped: count },
    });
}

function callWriter(destination: LogDestination): LogWriter {
  return { write: destination, flush: async () => {}, flushSync: () => {}, close: async () => {} };
}

/** What a logger shares with its children. */
interface Family {
  level: LogLevel;
  rank: number;
  readonly format: LogFormat;
  readonly writer: LogWriter;
}

class NodeLogger implements LeveledLogger {
  readonly #family: Family;
  readonly #parent: NodeLogger | null;
  readonly #facts: object;
  #prefix: string | null = null;

  constructor(family: Family, parent: NodeLogger | null, facts: object) {
    this.#family = family;
    this.#parent = parent;
    this.#facts = facts;
  }

  get level(): LogLevel {
    return this.#family.level;
  }

  set level(level: LogLevel) {
    this.#family.rank = rankOf(level);
    this.#family.level = level;
  }

  trace(facts: object | string, message?: string): void {
    if (this.#family.rank <= RANKS.trace) this.#log("trace", facts, message);
  }

  debug(facts: object | string, message?: string): void {
    if (this.#family.rank <= RANKS.debug) this.#log("debug", facts, message);
  }

  info(facts: object | string, message?: string): void {
    if (this.#family.rank <= RANKS.info) this.#log("info", facts, message);
  }

  warn(facts: object | string, message?: string): void {
    if (this.#family.rank <= RANKS.warn) this.#log("warn", facts, message);
  }

  error(facts: object | string, message?: string): void {
    if (this.#family.rank <= RANKS.error) this.#log("error", facts, message);
  }

  /** Also writes what waits, now: the process may be about to end. */
  fatal(facts: object | string, message?: string): void {
    if (this.#family.rank > RANKS.fatal) return;
    this.#log("fatal", facts, message);
    this.#family.writer.flushSync();
  }

  child(facts: object): LeveledLogger {
    return new NodeLogger(this.#family, this, facts);
  }

  flush(): Promise<void> {
    return this.#family.writer.flush();
  }

  #log(level: LineLevel, given: object | string, message: string | undefined): void {
    const { format, writer } = this.#family;
    const isText = typeof given === "string";
    const facts = isText ? null : given instanceof Error ? { err: given } : given;
    const text = isText ? given : (message ?? (given instanceof Error ? given.message : undefined));
    writer.write(format.writeLine({ level, time: now(), message: text, prefix: this.#writtenFacts(), facts }));
  }

  /** Our facts and our parents', written at the first line: most children of a request never log. */
  #writtenFacts(): string {
    if (this.#prefix !== null) return this.#prefix;
    const inherited = this.#parent === null ? "" : this.#parent.#writtenFacts();
    this.#prefix = inherited + this.#family.format.writeFacts(this.#facts);
    return this.#prefix;
  }
}

function rankOf(level: LogLevel): number {
  const rank = RANKS[level];
  if (rank !== undefined) return rank;
  throw new TypeError(`a log level is one of ${logLevels.join(", ")}; found ${JSON.stringify(level)}`);
}

let lastMs = 0;
let lastTime = "";

/** The time as ISO 8601; made once per millisecond. */
function now(): string {
  const ms = Date.now();
  if (ms !== lastMs) {
    lastMs = ms;
    lastTime = new Date(ms).toISOString();
  }
  return lastTime;
}
