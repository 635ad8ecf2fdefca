// The log of a thread: its lines go to the gateway's log, with the request they belong to.
import { type Logger, type LogMethod, toBytes, toText } from "@gw/core";
import { readError, writeError } from "./error-record.ts";

const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

/** Takes a line: level, then message, facts as JSON and error as texts. */
export type SendLine = (level: number, texts: readonly string[]) => void;

/** A logger that writes records. */
export function threadLogger(send: SendLine, bound: object = {}): Logger {
  const methods = LEVELS.map((_, level): LogMethod => {
    const log = (facts: object | string, message = ""): void =>
      typeof facts === "string"
        ? send(level, lineTexts(facts, bound))
        : send(level, lineTexts(message, { ...bound, ...facts }));
    return log;
  });
  const [trace, debug, info, warn, error, fatal] = methods as [
    LogMethod,
    LogMethod,
    LogMethod,
    LogMethod,
    LogMethod,
    LogMethod,
  ];
  return { trace, debug, info, warn, error, fatal, child: (facts) => threadLogger(send, { ...bound, ...facts }) };
}

function lineTexts(message: string, { err, ...facts }: { err?: unknown }): string[] {
  return [toBytes(message), toBytes(json(facts)), err === undefined ? "" : writeError(err)];
}

function json(facts: object): string {
  try {
    return JSON.stringify(facts);
  } catch {
    return JSON.stringify({ facts: String(facts) });
  }
}

/** Writes such a line to a log. */
export function logLine(log: Logger, level: number, [message = "", facts = "{}", error = ""]: readonly string[]): void {
  const all = { ...(JSON.parse(toText(facts)) as object), ...(error !== "" && { err: readError(error) }) };
  log[LEVELS[level] ?? "info"](all, toText(message));
}
