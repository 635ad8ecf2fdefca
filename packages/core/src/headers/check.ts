// The head of an answer, checked before its first byte goes out (R-H5, R-W4).
import { GatewayError } from "../model/errors.ts";
import type { HeaderList } from "../model/headers.ts";
import type { HttpResponse } from "../model/response.ts";
import { isHopByHop } from "./hop-by-hop.ts";
import { isBodilessStatus } from "./status.ts";
import { isFieldValue, isToken } from "./syntax.ts";

/**
 * Throws unless the head can be sent as it is.
 *
 * Checks the status (an integer, 200 to 599), the syntax of names and values, that no field is hop-by-hop
 * (`Trailer` only with `trailers`), that Content-Length is there once at most and fits a `Uint8Array` body, and
 * that 204 and 304 have no body. A stream's length is the pump's to check, `null` with a length is an answer to HEAD.
 *
 * @throws GatewayError `GW_RESPONSE_HEAD` (500)
 */
export function checkResponseHead(answer: HttpResponse): void {
  const { status, headers, body } = answer;
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw badHead(`the status must be an integer from 200 to 599, found ${String(status)}`);
  }
  const { length, hasTrailer } = headers === lastHeaders ? lastFacts : checkLines(headers);
  if (hasTrailer && answer.trailers === undefined) throw badHead("Trailer is announced, but there are no trailers");
  const bodyLength = body instanceof Uint8Array ? body.length : null;
  if (isBodilessStatus(status)) {
    if (bodyLength) throw badHead(`a ${status} has no body, found ${bodyLength} bytes`);
    // A 304 may tell the length that a 200 would have (RFC 9110 §8.6); a 204 may not, but zero is harmless.
    if (status === 204 && length) throw badHead(`a 204 has no body, found Content-Length: ${length}`);
  } else if (bodyLength !== null && length !== null && length !== bodyLength) {
    throw badHead(`Content-Length is ${length}, but the body has ${bodyLength} bytes`);
  }
}

/**
 * Throws unless the fields can follow a body: legal names and values, none that is hop-by-hop or frames a message
 * (RFC 9110 §6.5.1).
 *
 * @throws GatewayError `GW_RESPONSE_HEAD` (500)
 */
export function checkTrailers(trailers: HeaderList): void {
  const { length, hasTrailer } = checkLines(trailers);
  if (length !== null || hasTrailer) throw badHead("Content-Length and Trailer mean nothing after a body");
}

/** What the check of a list found out. */
interface HeadFacts {
  readonly length: number | null;
  readonly hasTrailer: boolean;
}

// An app with one constant list is checked once. A map of all lists would cost more than the check.
let lastHeaders: HeaderList | null = null;
let lastFacts: HeadFacts = { length: null, hasTrailer: false };

function checkLines(headers: HeaderList): HeadFacts {
  let length: number | null = null;
  let hasTrailer = false;
  const flat = headers.toFlat();
  for (let at = 0; at < flat.length; at += 2) {
    const name = flat[at] as string;
    const value = flat[at + 1] as string;
    const kind = kinds.get(name) ?? learnKind(name);
    if (!isFieldValue(value)) throw badHead(`the value of ${name} has a control character: ${quote(value)}`);
    if (kind === "plain") continue;
    if (kind === "bad") throw badHead(`${quote(name)} is no field name`);
    if (kind === "hop") throw badHead(`${name} concerns the connection, which is not the app's`);
    if (kind === "trailer") hasTrailer = true;
    else if (length !== null) throw badHead("Content-Length is there more than once");
    else length = readLength(value);
  }
  lastFacts = { length, hasTrailer };
  lastHeaders = headers;
  return lastFacts;
}

type NameKind = "plain" | "length" | "trailer" | "hop" | "bad";

// Apps use few names, but may make them from what clients send: bounded.
const MAX_KINDS = 1_000;
const kinds = new Map<string, NameKind>();

function learnKind(name: string): NameKind {
  if (kinds.size >= MAX_KINDS) kinds.clear();
  const kind = kindOf(name);
  kinds.set(name, kind);
  return kind;
}

function kindOf(name: string): NameKind {
  const lower = name.toLowerCase();
  if (!isToken(name)) return "bad";
  if (lower === "content-length") return "length";
  if (lower === "trailer") return "trailer";
  return isHopByHop(lower) ? "hop" : "plain";
}

function readLength(value: string): number {
  if (/^[0-9]{1,15}$/.test(value)) return Number(value);
  throw badHead(`Content-Length must be one decimal number, found ${quote(value)}`);
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}

function badHead(message: string): GatewayError {
  return new GatewayError("GW_RESPONSE_HEAD", 500, message);
}
