// Heads as HTTP/2 carries them (RFC 9113 §8): pseudo fields read and checked, cookie crumbs joined, answers in lower case.
import type { OutgoingHttpHeaders } from "node:http2";
import { GatewayError, HeaderList, type HttpResponse, isBodilessStatus } from "@gw/core";
import { headTooLarge, refusedMethod, targetTooLong, tooManyLines } from "./http1-head.ts";
import type { HttpLimits } from "./limits.ts";
import type { WireRequest } from "./request-rules.ts";

/** The head of an HTTP/2 request. */
export interface Http2Head extends WireRequest {
  /** `:protocol` of an extended CONNECT (RFC 8441); else `null`. */
  readonly protocol: string | null;
  /** Content-Length; `null` if there is none. nghttp2 has checked it and holds the body to it. */
  readonly contentLength: number | null;
  /** The client sends its body only when asked to. */
  readonly expectsContinue: boolean;
}

/**
 * Reads a head that nghttp2 has let through: it refuses wrong order, repeats, upper case and the fields of connections.
 *
 * @param raw `[name, value, …]` as received
 * @throws GatewayError `GW_HTTP_TARGET_LONG` (414), `GW_HTTP_HEADERS_MANY` (431), `GW_HTTP_METHOD` (405), `GW_HTTP_HOST` (400)
 */
export function readHttp2Head(raw: readonly string[], limits: HttpLimits): Http2Head {
  const pseudo: Pseudo = { method: "", target: "", authority: null, protocol: null };
  const flat: string[] = ["host", ""];
  let host: string | null = null;
  let cookieAt = 0;
  let contentLength: number | null = null;
  let expectsContinue = false;
  let bytes = 0;
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] as string;
    const value = raw[at + 1] as string;
    bytes += name.length + value.length + FIELD_BYTES;
    if (name.charCodeAt(0) === COLON) {
      setPseudo(pseudo, name, value);
      continue;
    }
    if (name === "host") {
      if (host !== null) throw badAuthority("more than one Host field");
      host = value;
      continue;
    }
    if (name === "cookie") {
      // Crumbs are one field again before anything else sees them (RFC 9113 §8.2.3).
      if (cookieAt !== 0) {
        flat[cookieAt] += `; ${value}`;
        continue;
      }
      cookieAt = flat.length + 1;
    } else if (name === "content-length") contentLength = Number(value);
    else if (name === "expect") expectsContinue = value.toLowerCase() === "100-continue";
    flat.push(name, value);
  }
  const authority = oneAuthority(pseudo.authority, host);
  flat[1] = authority;
  check(pseudo, flat, limits);
  // The setting tells the client; until the client has confirmed it, nghttp2 does not enforce it.
  if (bytes > limits.maxHeaderBytes) throw headTooLarge(limits);
  const { method, target, protocol } = pseudo;
  return { method, target, protocol, authority, flat, contentLength, expectsContinue };
}

interface Pseudo {
  method: string;
  target: string;
  authority: string | null;
  protocol: string | null;
}

const COLON = 0x3a;

/** What a field counts beside its bytes (RFC 9113 §6.5.2). */
const FIELD_BYTES = 32;

function setPseudo(pseudo: Pseudo, name: string, value: string): void {
  if (name === ":method") pseudo.method = value;
  else if (name === ":path") pseudo.target = value;
  else if (name === ":authority") pseudo.authority = value;
  else if (name === ":protocol") pseudo.protocol = value;
}

/** `:authority` and Host must be one (RFC 9113 §8.3.1); apps see it as Host. */
function oneAuthority(authority: string | null, host: string | null): string {
  if (authority !== null && host !== null && authority.toLowerCase() !== host.toLowerCase()) {
    throw badAuthority(":authority and Host that differ");
  }
  const one = authority ?? host;
  if (one === null || one === "") throw badAuthority("neither :authority nor Host");
  return one;
}

function check({ method, target, protocol }: Pseudo, flat: readonly string[], limits: HttpLimits): void {
  if (target.length > limits.maxRequestLineBytes) throw targetTooLong(limits);
  if (flat.length > limits.maxHeaderLines * 2) throw tooManyLines(limits.maxHeaderLines);
  if (method === "TRACE" || (method === "CONNECT" && protocol !== "websocket")) throw refusedMethod(method);
}

function badAuthority(found: string): GatewayError {
  return new GatewayError("GW_HTTP_HOST", 400, `expected exactly one authority, found ${found}`);
}

interface Remembered {
  readonly fields: OutgoingHttpHeaders;
  readonly hasLength: boolean;
  /** The fields with status and length, for the last ones asked for. */
  whole: OutgoingHttpHeaders;
  status: number;
  length: number | null;
}

const FIELDS = Symbol("gw.http2.fields");

/**
 * The fields of an answer for `stream.respond`; shared, so do not change them.
 *
 * A Content-Length is added where we know it, as in HTTP/1.1.
 */
export function fieldsOf({ status, headers, body }: HttpResponse, isHead: boolean): OutgoingHttpHeaders {
  const length = isBodilessStatus(status)
    ? null
    : body instanceof Uint8Array
      ? body.length
      : body === null && !isHead
        ? 0
        : null;
  const holder = headers as HeaderList & { [FIELDS]?: Remembered };
  let known = holder[FIELDS];
  if (known === undefined) {
    const fields = toFields(headers);
    const hasLength = "content-length" in fields;
    known = { fields, hasLength, status, length, whole: withStatus(fields, status, hasLength ? null : length) };
    holder[FIELDS] = known;
  } else if (known.status !== status || known.length !== length) {
    known.whole = withStatus(known.fields, status, known.hasLength ? null : length);
    known.status = status;
    known.length = length;
  }
  return known.whole;
}

function withStatus(fields: OutgoingHttpHeaders, status: number, length: number | null): OutgoingHttpHeaders {
  return length === null
    ? { ":status": status, ...fields }
    : { ":status": status, ...fields, "content-length": String(length) };
}

/** Fields by lower-case name; repeated ones as lists. */
export function toFields(headers: HeaderList): OutgoingHttpHeaders {
  const fields: Record<string, string | string[]> = {};
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    const before = fields[lower];
    fields[lower] = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value];
  }
  return fields;
}

/** Fields as node:http2 gives them, as a list: for trailers. */
export function fromFields(fields: Readonly<Record<string, string | readonly string[] | undefined>>): HeaderList {
  const flat = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : (typeof value === "string" ? [value] : value).flatMap((one) => [name, one]),
  );
  return HeaderList.fromWire(flat);
}
