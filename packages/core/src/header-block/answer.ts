// An answer as CGI programs and FastCGI responders give it: which fields it has, and whether a body follows.
import { withoutHopByHop } from "../headers/hop-by-hop.ts";
import { isBodilessStatus } from "../headers/status.ts";
import type { HeaderList } from "../model/headers.ts";
import type { HttpResponse } from "../model/response.ts";
import { writeHeaderBlock } from "./write.ts";

/**
 * The header block of an answer to a web server (RFC 3875 §6.3): no hop-by-hop fields, a length where it is known, no
 * Location that the server would act on.
 */
export function writeAnswerBlock({ status, headers, body }: HttpResponse): Uint8Array {
  let written: HeaderList = withoutHopByHop(headers);
  // To servers a Location is a redirect unless the status says otherwise (§6.2): with 200, Apache would send a 302.
  if (status === 200) written = written.without("location");
  if (body instanceof Uint8Array && !isBodilessStatus(status) && !written.has("content-length")) {
    written = written.append("Content-Length", String(body.length));
  }
  return writeHeaderBlock(status, written);
}

/** Whether no body may follow the head of an answer: to HEAD, with 1xx, 204 and 304 (RFC 9110 §6.4.1). */
export function isBodiless(method: string, status: number): boolean {
  return method === "HEAD" || isBodilessStatus(status);
}

/** The answer for a carrier that has no place for trailers: they are not even asked for. */
export function withoutTrailers({ kind, status, headers, body, close }: HttpResponse): HttpResponse {
  return { kind, status, headers, body, ...(close && { close }) };
}
