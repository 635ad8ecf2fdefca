// Letting go of an answer that will not be sent.

import type { MaybePromise } from "../model/maybe-promise.ts";
import type { Answer } from "../model/response.ts";

/**
 * Closes an answer that will not be sent. A layer that replaces an answer calls this on the old one.
 *
 * Each answer has one owner at a time; the owner sends it or discards it, so `close` runs exactly once (R-W3).
 */
export function discard(answer: Answer): MaybePromise<void> {
  return answer.close?.();
}
