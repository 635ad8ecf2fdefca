// What an error says about where it was thrown: its chain of causes, and the frames of each stack with a piece of source.
import { readFileSync, statSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { isGatewayError } from "@gw/core";

/** One line of a piece of source. */
export interface SourceLine {
  readonly number: number;
  readonly text: string;
  /** Whether the error is here. */
  readonly isHere: boolean;
}

/** One frame of a stack. */
export interface Frame {
  /** Name of the function, `""` if it has none. */
  readonly name: string;
  /** File, line and column for people: relative to the working directory where it is below it. */
  readonly at: string;
  /** Whether it is in code of the app: neither in Node nor in `node_modules`. */
  readonly isOwn: boolean;
  /** The lines around, empty for what is not the app's or cannot be read. */
  readonly source: readonly SourceLine[];
}

/** One error of a chain. */
export interface TracedError {
  /** `"TypeError"`, or the code of a GatewayError; `""` for what is no error. */
  readonly name: string;
  readonly message: string;
  readonly frames: readonly Frame[];
  /** The stack as text; the message for what has none. */
  readonly stack: string;
}

const MAX_ERRORS = 8; // a chain may be a circle
const MAX_FRAMES = 30;

/** An error and its causes, outermost first; those of an `AggregateError` after it. */
export function tracedErrors(error: unknown): readonly TracedError[] {
  const found: TracedError[] = [];
  const waiting: unknown[] = [error];
  while (waiting.length > 0 && found.length < MAX_ERRORS) {
    const one = waiting.shift();
    found.push(traced(one));
    if (typeof one !== "object" || one === null) continue;
    const { cause, errors } = one as { cause?: unknown; errors?: unknown };
    if (cause !== undefined && cause !== null) waiting.push(cause);
    if (Array.isArray(errors)) waiting.push(...errors.slice(0, MAX_ERRORS));
  }
  return found;
}

function traced(error: unknown): TracedError {
  if (!(error instanceof Error)) return { name: "", message: textOf(error), frames: [], stack: textOf(error) };
  const { message } = error;
  const name = isGatewayError(error) ? error.code : error.name;
  const stack = error.stack ?? `${name}: ${message}`;
  return { name, message, stack, frames: framesOf(stack, message) };
}

function textOf(value: unknown): string {
  try {
    return typeof value === "object" ? (JSON.stringify(value) ?? "null") : String(value);
  } catch {
    return "something that has no text";
  }
}

/** The frames of a stack. What the message says is no frame, whatever it looks like: clients may have a hand in it. */
function framesOf(stack: string, message: string): readonly Frame[] {
  const start = stack.indexOf(message);
  const lines = stack.slice(start < 0 ? 0 : start + message.length).split("\n");
  return lines.flatMap((line) => frameOf(line) ?? []).slice(0, MAX_FRAMES);
}

const FRAME = /^ {4}at (?:(?<name>.+?) \()?(?<place>.+?):(?<line>\d+):(?<column>\d+)\)?$/;

function frameOf(line: string): Frame | null {
  const { name = "", place = "", line: row = "0", column = "0" } = FRAME.exec(line)?.groups ?? {};
  if (place === "") return null;
  const path = pathOf(place);
  const isOwn = path !== null && !/[\\/]node_modules[\\/]/.test(path);
  return {
    name,
    at: `${path === null ? place : shortPath(path)}:${row}:${column}`,
    isOwn,
    source: isOwn ? sourceAround(path, Number(row)) : [],
  };
}

function pathOf(place: string): string | null {
  try {
    if (place.startsWith("file://")) return fileURLToPath(place.replace(/\?[^?]*$/, "")); // fresh loads carry a query
    return /^(?:\/|[A-Za-z]:\\)/.test(place) ? place : null;
  } catch {
    return null;
  }
}

function shortPath(path: string): string {
  const below = relative(process.cwd(), path);
  return below.startsWith("..") ? path : below;
}

const SOURCE = /\.[cm]?[jt]sx?$/;
const AROUND = 5;
const MAX_SOURCE_BYTES = 2_000_000;
const MAX_LINE_CHARS = 300;

function sourceAround(path: string, row: number): readonly SourceLine[] {
  if (!SOURCE.test(path)) return [];
  try {
    if (statSync(path).size > MAX_SOURCE_BYTES) return [];
    const lines = readFileSync(path, "utf8").split(/\r?\n/);
    if (row < 1 || row > lines.length) return [];
    const first = Math.max(1, row - AROUND);
    return lines.slice(first - 1, row + AROUND).map((text, at) => ({
      number: first + at,
      text: text.slice(0, MAX_LINE_CHARS),
      isHere: first + at === row,
    }));
  } catch {
    return []; // built elsewhere, or gone
  }
}
