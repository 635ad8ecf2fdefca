// Whether an answer fits what was asked: the last check before a carrier sends it.
import { encodeText } from "../bytes/byte-string.ts";
import { GatewayError } from "../model/errors.ts";
import { HeaderList } from "../model/headers.ts";
import type { MaybePromise } from "../model/maybe-promise.ts";
import type { GatewayRequest } from "../model/request.ts";
import type { Answer, HttpResponse } from "../model/response.ts";
import { andThen } from "./and-then.ts";
import { discard } from "./discard.ts";
import { errorAnswer } from "./error-answer.ts";

/**
 * The answer to send for a WebSocket opening: a 2xx response becomes 501.
 *
 * On HTTP/2 a 200 would open the tunnel (RFC 8441 §5), and on HTTP/1.1 a
 * client would take it for a page. The old answer is closed.
 */
export function socketAnswer(answer: Answer): MaybePromise<Answer> {
  if (answer.kind === "accept" || answer.status < 200 || answer.status > 299) return answer;
  return andThen(discard(answer), () => noSocketHere);
}

const noSocketHere: HttpResponse = {
  kind: "response",
  status: 501,
  headers: HeaderList.from({ "Content-Type": "text/plain; charset=utf-8" }),
  body: encodeText("501 Not Implemented\nthis address does not speak WebSocket\n"),
};

/**
 * The answer to send for a request of either kind; `Runtime.answer` applies it for all carriers.
 *
 * `socketAnswer` for sockets; an accept on a plain request, and anything that
 * is no answer at all, become a 500 that names what was found in the log.
 */
export function fittingAnswer(answer: Answer, request: GatewayRequest): MaybePromise<Answer> {
  const kind: unknown = (answer as Partial<Answer> | null | undefined)?.kind;
  if (kind === "response") return request.kind === "http" ? answer : socketAnswer(answer);
  if (kind !== "accept") return errorAnswer(notAnAnswer(answer), request);
  if (request.kind === "websocket") return answer;
  return andThen(discard(answer), () => errorAnswer(acceptedPlainRequest(), request));
}

function notAnAnswer(found: unknown): GatewayError {
  const what = found === null ? "null" : typeof found;
  return new GatewayError("GW_NOT_AN_ANSWER", 500, `a handler must return a response or an accept, found ${what}`);
}

function acceptedPlainRequest(): GatewayError {
  return new GatewayError("GW_NOT_A_SOCKET", 500, "a handler accepted a WebSocket on a plain request");
}
