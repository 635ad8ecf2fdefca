// The last look at an answer before a carrier sends it, and letting go of one it cannot send.
import { checkResponseHead } from "../headers/check.ts";
import type { GatewayError } from "../model/errors.ts";
import type { GatewayRequest } from "../model/request.ts";
import type { Answer, HttpResponse } from "../model/response.ts";
import { isPromise } from "./and-then.ts";
import { discard } from "./discard.ts";
import { errorAnswer } from "./error-answer.ts";
import type { Runtime } from "./runtime.ts";

/**
 * The answer, or the error page in its place if it cannot be sent: nothing bad gets as far as the wire (R-H5).
 *
 * @param noSocket the error if it accepts a WebSocket where there is none
 */
export function sendableResponse(
  answer: Answer,
  request: GatewayRequest,
  { runtime, noSocket }: { runtime: Runtime; noSocket: () => GatewayError },
): HttpResponse {
  try {
    if (answer.kind !== "response") throw noSocket();
    checkResponseHead(answer);
    return answer;
  } catch (error) {
    closeAnswer(answer, request, runtime);
    return errorAnswer(error, request);
  }
}

/** Closes an answer that is not sent; what goes wrong there is for the log, and `runtime.stop` waits for it. */
export function closeAnswer(answer: Answer, { exchange }: Pick<GatewayRequest, "exchange">, runtime: Runtime): void {
  const failed = (error: unknown): void => exchange.log.error({ err: error }, "closing an answer failed");
  try {
    const closing = discard(answer);
    if (isPromise(closing)) runtime.track(closing.catch(failed));
  } catch (error) {
    failed(error);
  }
}
