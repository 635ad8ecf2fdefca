// Whether a request that failed may be sent once more (R-F14).
import type { HttpRequest } from "../model/request.ts";

const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"]);

/**
 * Whether a request may be sent a second time when its first connection broke before a byte of an answer had come.
 *
 * Only methods that may be repeated (RFC 9110 §9.2.2), only with a body that can be read again or of which nothing was read.
 *
 * @param isBodyUntouched whether nothing of the body was asked for
 */
export function mayRetry({ method, body, signal }: HttpRequest, isBodyUntouched: boolean): boolean {
  return IDEMPOTENT.has(method) && !signal.aborted && (body.length === 0 || body.replayable || isBodyUntouched);
}
