// Makers of common answers. What users write is text; it is sent as UTF-8.
import { encodeText, toBytes } from "../bytes/byte-string.ts";
import { GatewayError } from "../model/errors.ts";
import { type HeaderInit, HeaderList } from "../model/headers.ts";
import type { HttpResponse } from "../model/response.ts";
import { encodeByte } from "../target/raw.ts";

/** What the makers may be told. */
export interface AnswerOptions {
  /** @default 200 */
  status?: number;
  /** Further fields; a Content-Type here replaces the maker's. */
  headers?: HeaderInit;
}

/** A `text/plain` answer. */
export function text(body: string, options?: AnswerOptions): HttpResponse {
  return answer(body, plainHeaders, options);
}

/** A `text/html` answer. Escape what you put into it. */
export function html(body: string, options?: AnswerOptions): HttpResponse {
  return answer(body, htmlHeaders, options);
}

/**
 * An `application/json` answer.
 *
 * @throws GatewayError `GW_JSON` (500) for a value that JSON cannot write, such as `undefined` or a cycle.
 */
export function json(value: unknown, options?: AnswerOptions): HttpResponse {
  let body: string | undefined;
  try {
    body = JSON.stringify(value);
  } catch (error) {
    throw new GatewayError("GW_JSON", 500, "the value cannot be written as JSON", { cause: error });
  }
  if (body === undefined) throw new GatewayError("GW_JSON", 500, `a ${typeof value} cannot be written as JSON`);
  return answer(body, jsonHeaders, options);
}

/**
 * A redirect to a URL or path, text: chars outside ASCII are percent-encoded as UTF-8.
 *
 * It goes wherever it is told: pass what came from a client through `localTarget` first (R-M12).
 *
 * @param status 301, 302, 303, 307 or 308. @default 302
 * @throws GatewayError `GW_REDIRECT` (500) for a control character, an empty target or another status.
 */
export function redirect(to: string, status = 302): HttpResponse {
  if (!REDIRECTS.has(status))
    throw new GatewayError("GW_REDIRECT", 500, `a redirect has status 301, 302, 303, 307 or 308, found ${status}`);
  return { kind: "response", status, headers: HeaderList.fromWire(["Location", locationValue(to)]), body: null };
}

/** Text as a Location value (RFC 3986): spaces and what is not ASCII percent-encoded. */
export function locationValue(to: string): string {
  if (to === "" || /[\u0000-\u001f\u007f]/.test(to)) {
    throw new GatewayError(
      "GW_REDIRECT",
      500,
      `a redirect's target is a URL or path without control characters, found ${JSON.stringify(to.slice(0, 80))}`,
    );
  }
  return toBytes(to).replace(/[^\u0021-\u007e]/g, encodeByte);
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const plainHeaders = HeaderList.from({ "Content-Type": "text/plain; charset=utf-8" });
const htmlHeaders = HeaderList.from({ "Content-Type": "text/html; charset=utf-8" });
const jsonHeaders = HeaderList.from({ "Content-Type": "application/json" });

function answer(body: string, defaults: HeaderList, { status = 200, headers }: AnswerOptions = {}): HttpResponse {
  return {
    kind: "response",
    status,
    headers: headers === undefined ? defaults : merged(defaults, headers),
    body: encodeText(body),
  };
}

function merged(defaults: HeaderList, init: HeaderInit): HeaderList {
  const headers = HeaderList.from(init);
  return headers.has("content-type") ? headers : HeaderList.fromWire([...defaults.toFlat(), ...headers.toFlat()]);
}
