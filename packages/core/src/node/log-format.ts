// One event, one line: as JSON for machines, as text for people.
import { cutText, type PlainValue, plainFacts } from "./log-values.ts";

/** Levels that lines can have. */
export type LineLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal";

/** One event as the formats take it. */
export interface LogEvent {
  readonly level: LineLevel;
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly message: string | undefined;
  /** What `FactWriter` made of the logger's own facts. */
  readonly prefix: string;
  readonly facts: object | null;
}

/** A format: facts are written once per child logger, lines once per event. */
export interface LogFormat {
  /** The facts of a child logger as the part of a line that they will be. */
  writeFacts(facts: object): string;
  /** The whole line with its newline; no control byte inside. */
  writeLine(event: LogEvent): string;
}

// What JSON leaves as it is but a terminal or a log reader may obey: DEL and the
// C1 controls, line separators, and the marks that turn text direction around.
const UNSAFE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
const UNSAFE_TEXT = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
const BARE = /^[\w./:@%+,*~-]+$/;

/** Escapes the rest of what may not stand in a line, once per line. */
function safe(json: string): string {
  UNSAFE.lastIndex = 0;
  return UNSAFE.test(json) ? json.replace(UNSAFE, escapeChar) : json;
}

function escapeChar(char: string): string {
  const short = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }[char];
  return short ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** JSON lines: `{"level":"info","time":"…",…facts,"msg":"…"}`, the keys of pino with readable level and time. */
export const jsonFormat: LogFormat = {
  writeFacts: jsonFacts,
  writeLine({ level, time, message, prefix, facts }) {
    const own = facts === null ? "" : jsonFacts(facts);
    const text = message === undefined ? "" : `,"msg":${JSON.stringify(cutText(message))}`;
    return `{"level":"${level}","time":"${time}"${safe(`${prefix}${own}${text}`)}}\n`;
  },
};

function jsonFacts(facts: object): string {
  let text = "";
  for (const [name, value] of plainFacts(facts)) text += `,${JSON.stringify(name)}:${JSON.stringify(value)}`;
  return text;
}

/** Settings of `textFormat`. */
export interface TextFormatOptions {
  /** ANSI colours. */
  readonly colour: boolean;
  /** Stacks on lines of their own, indented: for a terminal, where nothing reads line by line. */
  readonly stackLines: boolean;
}

const COLOURS: Readonly<Record<LineLevel, string>> = {
  trace: "\u001b[90m",
  debug: "\u001b[36m",
  info: "\u001b[32m",
  warn: "\u001b[33m",
  error: "\u001b[31m",
  fatal: "\u001b[41;97m",
};
const DIM = "\u001b[2m";
const RESET = "\u001b[0m";

/** Text lines: `2026-01-31T12:00:00.000Z INFO  message key=value`. */
export function textFormat({ colour, stackLines }: TextFormatOptions): LogFormat {
  const dim = (text: string): string => (colour ? `${DIM}${text}${RESET}` : text);
  const writeFacts = (facts: object): string => {
    let text = "";
    for (const [name, value] of plainFacts(facts)) text += ` ${dim(`${textKey(name)}=`)}${textValue(value)}`;
    return text;
  };
  return {
    writeFacts,
    writeLine({ level, time, message, prefix, facts }) {
      const name = level.toUpperCase().padEnd(5);
      const head = `${dim(time)} ${colour ? `${COLOURS[level]}${name}${RESET}` : name}`;
      const text = message === undefined ? "" : ` ${cutText(message).replace(UNSAFE_TEXT, escapeChar)}`;
      const own = facts === null ? "" : writeFacts(facts);
      const stack = stackLines && facts !== null ? stacksOf(facts, dim) : "";
      return `${head}${text}${prefix}${own}\n${stack}`;
    },
  };
}

function textKey(key: string): string {
  return BARE.test(key) ? key : quoted(key);
}

function textValue(value: PlainValue): string {
  if (typeof value === "string") return BARE.test(value) ? value : quoted(value);
  if (isPlainError(value)) return quoted(errorText(value));
  return typeof value === "object" && value !== null ? quotedJson(value) : String(value);
}

function quoted(text: string): string {
  return safe(JSON.stringify(text));
}

function quotedJson(value: PlainValue): string {
  return safe(JSON.stringify(value));
}

interface PlainError {
  readonly type: string;
  readonly message: string;
  readonly code?: PlainValue;
  readonly stack?: string;
  readonly cause?: PlainValue;
}

function isPlainError(value: PlainValue): value is { readonly [key: string]: PlainValue } & PlainError {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const { type, message, stack } = value as { readonly [key: string]: PlainValue };
  return typeof type === "string" && typeof message === "string" && typeof stack === "string";
}

/** `Type [CODE]: message`, the place it was made, then its causes. */
function errorText(error: PlainError): string {
  const code = error.code === undefined ? "" : ` [${String(error.code)}]`;
  const place = firstFrame(error.stack);
  const cause = error.cause !== undefined && isPlainError(error.cause) ? `; caused by ${errorText(error.cause)}` : "";
  return `${error.type}${code}: ${error.message}${place === "" ? "" : ` (${place})`}${cause}`;
}

function frames(stack: string | undefined): string[] {
  return (stack ?? "").split("\n").flatMap((line) => (/^\s+at /.test(line) ? [line.trim().slice(3)] : []));
}

function firstFrame(stack: string | undefined): string {
  const found = frames(stack);
  return found.find((frame) => !frame.includes("node:")) ?? found[0] ?? "";
}

function stacksOf(facts: object, dim: (text: string) => string): string {
  let lines = "";
  for (const value of Object.values(facts)) {
    if (!(value instanceof Error)) continue;
    for (const frame of frames(value.stack)) lines += `${dim(`    at ${frame.replace(UNSAFE_TEXT, escapeChar)}`)}\n`;
  }
  return lines;
}
