// The head of an answer as HTTP/1.1 writes it, remembered with the list it was made from.
import type { HeaderList } from "@gw/core";

/** What is remembered of a list of fields: the array that goes to the wire. */
interface Remembered {
  readonly hasLength: boolean;
  /** The lines and a Content-Length, for the last length asked for. */
  withLength: readonly string[];
  length: number;
}

// On the list itself, not in a WeakMap: most answers of real apps have a new list, and a WeakMap makes
// the garbage collector pay for each. A list never changes, so what was made from it stays true.
const HEAD = Symbol("gw.http.head");

/** The field lines, with a Content-Length unless they have one. The array is shared: do not change it. */
export function linesWithLength(headers: HeaderList, length: number): readonly string[] {
  const holder = headers as HeaderList & { [HEAD]?: Remembered };
  const known = holder[HEAD];
  if (known !== undefined) {
    if (known.hasLength) return headers.toFlat();
    if (known.length === length) return known.withLength;
    known.withLength = [...headers.toFlat(), "Content-Length", String(length)];
    known.length = length;
    return known.withLength;
  }
  const hasLength = headers.has("content-length");
  const withLength = hasLength ? headers.toFlat() : [...headers.toFlat(), "Content-Length", String(length)];
  holder[HEAD] = { hasLength, withLength, length };
  return withLength;
}
