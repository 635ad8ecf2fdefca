// The body of an answer that came whole, against its Content-Length (R-W4).
import { contentLength, GatewayError, type HeaderList, isBodilessStatus, type RequestHead } from "@gw/core";

/** An answer that came whole. */
export interface WholeAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  readonly request: RequestHead;
}

/**
 * What of the body is sent: none where a status has none; nothing beyond the Content-Length.
 *
 * @throws GatewayError `GW_LENGTH_MISMATCH` if the body is shorter than it
 */
export function wholeBody({ status, headers, body, request }: WholeAnswer): Uint8Array | null {
  if (isBodilessStatus(status)) return null;
  const length = contentLength(headers, 500);
  const isHead = request.method === "HEAD";
  if (length === null || length === body.length) return isHead && body.length === 0 ? null : body;
  // An answer to HEAD has the length that GET's would have (RFC 9110 §9.3.2).
  if (isHead) return null;
  if (body.length < length) {
    const message = `the answer's Content-Length is ${length}, its body has ${body.length} bytes`;
    throw new GatewayError("GW_LENGTH_MISMATCH", 500, message);
  }
  request.exchange.log.warn(
    `the app gave ${body.length} bytes, its Content-Length is ${length}: the rest was not sent`,
  );
  return body.subarray(0, length);
}
