// Work that the client does not wait for.

import type { MaybePromise } from "../model/maybe-promise.ts";
import type { Outcome, RequestHead } from "../model/request.ts";

/**
 * Runs a task once the answer is out, however that ended: a mail, a cache, a statistic.
 *
 * A gateway that stops waits for the task, up to its deadline. Errors are
 * logged with the exchange's id; nobody else sees them. Tasks are lost when the process dies.
 */
export function afterResponse(
  request: Pick<RequestHead, "exchange">,
  task: (outcome: Outcome) => MaybePromise<void>,
): void {
  request.exchange.onEnd(task);
}
