// The head of an HTTP/1.x request: one reading or none (R-H1, R-H2, R-H4; RFC 9112 §3, §6).
//
// Node's parser has read it already. Here is what it lets pass and we do not.
import type { IncomingMessage } from "node:http";
import { GatewayError } from "@gw/core";
import type { HttpLimits } from "./limits.ts";

/** What a head says of its message. */
export interface Http1Head {
  /** The Host field; `null` only in HTTP/1.0. */
  readonly host: string | null;
  /** Bytes of the body; 0: none, `null`: chunked. */
  readonly length: number | null;
  /** It names a protocol to upgrade to. */
  readonly asksUpgrade: boolean;
}

/**
 * Checks a head for everything that two readers could read differently.
 *
 * @throws GatewayError `GW_HTTP_TARGET_LONG` (414), `GW_HTTP_HEADERS_MANY` (431), `GW_HTTP_VERSION` (505),
 *   `GW_HTTP_METHOD` (405), `GW_HTTP_FRAMING` and `GW_HTTP_HOST` (400).
 */
export function readHttp1Head(req: IncomingMessage, limits: HttpLimits): Http1Head {
  const { rawHeaders } = req;
  const url = req.url as string;
  const method = req.method as string;
  if (url.length + method.length + REST_OF_LINE > limits.maxRequestLineBytes) throw targetTooLong(limits);
  if (rawHeaders.length > limits.maxHeaderLines * 2) throw tooManyLines(limits.maxHeaderLines);
  if (req.httpVersionMajor !== 1 || req.httpVersionMinor > 1) throw badVersion(req.httpVersion);
  if (method === "TRACE" || method === "CONNECT") throw refusedMethod(method);
  return readFields(rawHeaders, req.httpVersionMinor === 1);
}

const REST_OF_LINE = " ".length + " HTTP/1.1".length;

function readFields(flat: readonly string[], is11: boolean): Http1Head {
  let host: string | null = null;
  let contentLength: string | null = null;
  let coding: string | null = null;
  let asksUpgrade = false;
  for (let at = 0; at < flat.length; at += 2) {
    const name = flat[at] as string;
    switch (name.length) {
      case 4:
        if (!isName(name, "Host", "host")) break;
        if (host !== null) throw badHost("more than one Host field");
        host = flat[at + 1] as string;
        break;
      case 7:
        if (isName(name, "Upgrade", "upgrade")) asksUpgrade = true;
        break;
      case 14:
        if (!isName(name, "Content-Length", "content-length")) break;
        if (contentLength !== null) throw badFraming("more than one Content-Length field");
        contentLength = flat[at + 1] as string;
        break;
      case 17:
        if (!isName(name, "Transfer-Encoding", "transfer-encoding")) break;
        if (coding !== null) throw badFraming("more than one Transfer-Encoding field");
        coding = flat[at + 1] as string;
        break;
    }
  }
  if (is11 && host === null) throw badHost("no Host field");
  return { host, length: bodyLength(contentLength, coding, is11), asksUpgrade };
}

function bodyLength(contentLength: string | null, coding: string | null, is11: boolean): number | null {
  if (coding !== null) {
    // RFC 9112 §6.1: with Content-Length it may be smuggling; in 1.0 nobody agrees; other codings we do not decode.
    if (contentLength !== null) throw badFraming("Content-Length and Transfer-Encoding");
    if (!is11) throw badFraming("Transfer-Encoding in HTTP/1.0");
    if (coding.toLowerCase() !== "chunked")
      throw badFraming(`Transfer-Encoding must be chunked, found ${quoted(coding)}`);
    return null;
  }
  if (contentLength === null) return 0;
  if (!/^[0-9]{1,15}$/.test(contentLength))
    throw badFraming(`Content-Length must be a number, found ${quoted(contentLength)}`);
  return Number(contentLength);
}

function isName(name: string, usual: string, lower: string): boolean {
  return name === usual || name === lower || name.toLowerCase() === lower;
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}

function badFraming(found: string): GatewayError {
  return new GatewayError("GW_HTTP_FRAMING", 400, `the length of the body is in doubt: ${found}`);
}

function badHost(found: string): GatewayError {
  return new GatewayError("GW_HTTP_HOST", 400, `expected exactly one Host field, found ${found}`);
}

function badVersion(version: string): GatewayError {
  return new GatewayError("GW_HTTP_VERSION", 505, `expected HTTP/1.0 or HTTP/1.1, found HTTP/${version}`);
}

/** The error for TRACE and CONNECT. */
export function refusedMethod(method: string): GatewayError {
  return new GatewayError("GW_HTTP_METHOD", 405, `${method} is not served`);
}

/** The error for a target that is too long. */
export function targetTooLong({ maxRequestLineBytes }: HttpLimits): GatewayError {
  return new GatewayError("GW_HTTP_TARGET_LONG", 414, `the request line is longer than ${maxRequestLineBytes} bytes`);
}

/** The error for too many field lines, of a head or of trailers. */
export function tooManyLines(maxLines: number): GatewayError {
  return new GatewayError("GW_HTTP_HEADERS_MANY", 431, `more than ${maxLines} field lines`);
}

/** The error for a head that is too large. */
export function headTooLarge({ maxHeaderBytes }: HttpLimits): GatewayError {
  return new GatewayError("GW_HTTP_HEADERS_LARGE", 431, `the head is larger than ${maxHeaderBytes} bytes`);
}
