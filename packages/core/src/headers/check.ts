// The head of an answer, checked before its first byte goes out (R-H5, R-W4).
import { GatewayError } from "../model/errors.ts";
import type { HeaderList } from "../model/headers.ts";
import type { HttpResponse } from "../model/response.ts";
import { parseContentLength } from "./content-length.ts";
import { isHopByHop } from "./hop-by-hop.ts";
import { isBodilessStatus } from "./status.ts";
import { isFieldValue, isToken } from "./syntax.ts";

/**
 * Throws unless the head can be sent as it is.
 *
 * Checks the status (an integer, 200 to 599), the syntax of names and values, that no field is hop-by-hop
 * (`Trailer` only with `trailers`), that Content-Length is there at most once and fits a `Uint8Array` body, and
 * that 204 and 304 have no body. The lines of a list are checked once: a constant list costs nothing afterwards.
 *
 * @throws GatewayError `GW_RESPONSE_HEAD` (500)
 */
export function checkResponseHead(answer: HttpResponse): void {
  const { status, headers, body } = answer;
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw bad(`status must be an integer from 200 to 599, found ${String(status)}`);
  }
  const facts = factsOf(headers);
  if (facts.hasTrailer && answer.trailers === undefined)
    throw bad("Trailer is announced, but the answer has no trailers");
  const bodyBytes = body instanceof Uint8Array ? body.length : null;
  if (isBodilessStatus(status)) {
    if (bodyBytes) throw bad(`an answer with status ${status} has no body, found ${bodyBytes} bytes`);
    if (status === 204 && facts.length)
      throw bad(`an answer with status 204 has no body, found Content-Length ${facts.length}`);
  } else if (bodyBytes !== null && facts.length !== null && facts.length !== bodyBytes) {
    throw bad(`Content-Length is ${facts.length}, but the body has ${bodyBytes} bytes`);
  }
}

interface HeadFacts {
  readonly length: number | null;
  readonly hasTrailer: boolean;
}

const remembered = new WeakMap<HeaderList, HeadFacts>();

function factsOf(headers: HeaderList): HeadFacts {
  let facts = remembered.get(headers);
  if (facts === undefined) {
    facts = checkLines(headers);
    remembered.set(headers, facts);
  }
  return facts;
}

function checkLines(headers: HeaderList): HeadFacts {
  let length: number | null = null;
  let hasTrailer = false;
  const flat = headers.toFlat();
  for (let at = 0; at < flat.length; at += 2) {
    const name = flat[at] as string;
    const value = flat[at + 1] as string;
    if (!isToken(name)) throw bad(`${JSON.stringify(name.slice(0, 80))} is no field name`);
    if (!isFieldValue(value)) throw bad(`the value of ${name} has a control character`);
    const lower = name.toLowerCase();
    if (lower === "trailer") hasTrailer = true;
    else if (isHopByHop(lower)) throw bad(`${name} concerns the connection, which is not the app's`);
    else if (lower === "content-length") {
      if (length !== null) throw bad("Content-Length is there more than once");
      length = lengthOf(value);
    }
  }
  return { length, hasTrailer };
}

function lengthOf(value: string): number {
  if (!/^[0-9]+$/.test(value))
    throw bad(`Content-Length must be a decimal number, found ${JSON.stringify(value.slice(0, 80))}`);
  return parseContentLength(value, 500);
}

function bad(message: string): GatewayError {
  return new GatewayError("GW_RESPONSE_HEAD", 500, message);
}
