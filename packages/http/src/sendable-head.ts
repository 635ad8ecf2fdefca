// The field lines of an answer as HTTP/1.1 writes them, remembered with the list they were made from.
import { type HeaderList, type HttpResponse, isBodilessStatus } from "@gw/core";

/** What is remembered of a list of fields. */
interface Remembered {
  readonly hasLength: boolean;
  /** The lines and a Content-Length, for the last length asked for. */
  withLength: readonly string[];
  length: number;
}

// On the list itself, not in a WeakMap: most answers of real apps have a new list, and a WeakMap makes
// the garbage collector pay for each. A list never changes, so what was made from it stays true.
const LINES = Symbol("gw.http.lines");

/**
 * The lines to write, `[name, value, …]`; shared, so do not change them.
 *
 * A Content-Length is added where we know it. HEAD may only be told the length that GET would have (RFC 9110 §8.6).
 */
export function linesOf({ status, headers, body }: HttpResponse, isHead: boolean): readonly string[] {
  if (isBodilessStatus(status)) return headers.toFlat();
  if (body instanceof Uint8Array) return linesWithLength(headers, body.length);
  return body === null && !isHead ? linesWithLength(headers, 0) : headers.toFlat();
}

function linesWithLength(headers: HeaderList, length: number): readonly string[] {
  const holder = headers as HeaderList & { [LINES]?: Remembered };
  const known = holder[LINES];
  if (known === undefined) {
    const hasLength = headers.has("content-length");
    const withLength = hasLength ? headers.toFlat() : withLengthLine(headers, length);
    holder[LINES] = { hasLength, withLength, length };
    return withLength;
  }
  if (known.hasLength || known.length === length) return known.withLength;
  known.withLength = withLengthLine(headers, length);
  known.length = length;
  return known.withLength;
}

function withLengthLine(headers: HeaderList, length: number): readonly string[] {
  return [...headers.toFlat(), "Content-Length", String(length)];
}
