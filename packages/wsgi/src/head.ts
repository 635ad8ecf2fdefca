// The head that an app gave to start_response: checked once, and remembered while the app repeats it.
import { checkResponseHead, GatewayError, HeaderList } from "@gw/core";

/** A checked head. */
export interface Head {
  readonly status: number;
  readonly headers: HeaderList;
  /** Content-Length in bytes; `null` if the app gave none. */
  readonly length: number | null;
}

type Pairs = readonly (readonly [name: string, value: string])[];

interface Remembered {
  readonly line: string;
  readonly head: Head;
}

const STATUS_LINE = /^[2-5][0-9]{2} [\t\u0020-\u007e\u0080-\u00ff]*$/;
/** Heads that one app repeats: few. */
const MAX_REMEMBERED = 4;
/** Longer heads are not kept: they rarely repeat. */
const MAX_REMEMBERED_LINES = 24;

/**
 * Reads heads for one app. An app mostly repeats a few heads; those are compared, not checked again, and keep
 * one `HeaderList`, so that carriers need not check them again either.
 */
export class HeadReader {
  readonly #remembered: Remembered[] = [];
  #next = 0;

  /**
   * The head of `start_response(status, headers)`.
   *
   * @throws GatewayError `GW_WSGI_START` for a malformed status or list; `GW_RESPONSE_HEAD` for a field that
   *   cannot be sent or is hop-by-hop (PEP 3333: "a fatal error for an application to attempt sending them")
   */
  read(line: string, pairs: Pairs): Head {
    for (const one of this.#remembered) {
      if (one.line === line && isSame(one.head.headers.toFlat(), pairs)) return one.head;
    }
    const head = readHead(line, pairs);
    if (pairs.length <= MAX_REMEMBERED_LINES) {
      this.#remembered[this.#next] = { line, head };
      this.#next = (this.#next + 1) % MAX_REMEMBERED;
    }
    return head;
  }
}

function isSame(flat: readonly string[], pairs: Pairs): boolean {
  if (!Array.isArray(pairs) || flat.length !== pairs.length * 2) return false;
  let at = 0;
  for (const pair of pairs) {
    if (flat[at] !== pair?.[0] || flat[at + 1] !== pair[1] || pair.length !== 2) return false;
    at += 2;
  }
  return true;
}

function readHead(line: string, pairs: Pairs): Head {
  if (typeof line !== "string" || !STATUS_LINE.test(line)) {
    throw badStart(`the status must be three digits from 200 to 599, a space and a reason, found ${show(line)}`);
  }
  const headers = HeaderList.fromWire(flatten(pairs));
  const status = Number(line.slice(0, 3));
  checkResponseHead({ kind: "response", status, headers, body: null });
  const length = headers.get("content-length");
  return { status, headers, length: length === null ? null : Number(length) };
}

/** Pairs → `[name, value, …]`. */
function flatten(pairs: Pairs): string[] {
  if (!Array.isArray(pairs))
    throw badStart(`the headers must be an array of [name, value] pairs, found ${show(pairs)}`);
  const flat: string[] = [];
  for (const pair of pairs as Pairs) {
    const isPair =
      Array.isArray(pair) && pair.length === 2 && typeof pair[0] === "string" && typeof pair[1] === "string";
    if (!isPair) throw badStart(`a header must be a pair of two strings, found ${show(pair)}`);
    flat.push(pair[0], pair[1]);
  }
  return flat;
}

function badStart(message: string): GatewayError {
  return new GatewayError("GW_WSGI_START", 500, `start_response: ${message}`);
}

function show(value: unknown): string {
  return typeof value === "string"
    ? JSON.stringify(value.slice(0, 80))
    : Array.isArray(value)
      ? `[${value.map((one) => typeof one).join(", ")}]`
      : typeof value;
}
