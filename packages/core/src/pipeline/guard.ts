// Errors become responses: around every mounted app and around the whole gateway.
import type { Handler } from "../model/app.ts";
import type { MaybePromise } from "../model/maybe-promise.ts";
import type { GatewayRequest } from "../model/request.ts";
import type { Answer } from "../model/response.ts";
import { andCatch, isPromise } from "./and-then.ts";
import { inheritOrigin } from "./async-origin.ts";
import { errorAnswer } from "./error-answer.ts";
import { fittingAnswer } from "./socket-answer.ts";

/**
 * Wraps a handler so that it never throws, never rejects and always answers what fits the request:
 * what it throws becomes `errorAnswer`, what does not fit goes through `fittingAnswer`.
 */
export function guard(handler: Handler): Handler {
  return (request) => {
    try {
      const answer = handler(request);
      if (!isPromise(answer)) return fitting(answer, request);
      const caught = answer.then(
        (one) => fitting(one, request),
        (error: unknown) => errorAnswer(error, request),
      );
      return inheritOrigin(caught, answer);
    } catch (error) {
      return errorAnswer(error, request);
    }
  };
}

/** `fittingAnswer` may have to close an answer, and that may fail, too. */
function fitting(answer: Answer, request: GatewayRequest): MaybePromise<Answer> {
  return andCatch(
    () => fittingAnswer(answer, request),
    (error) => errorAnswer(error, request),
  );
}
