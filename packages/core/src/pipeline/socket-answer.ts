// Whether an answer fits what was asked: the last check before a carrier sends it.
import { encodeText } from "../bytes/byte-string.ts";
import { HeaderList } from "../model/headers.ts";
import type { MaybePromise } from "../model/maybe-promise.ts";
import type { Answer, HttpResponse } from "../model/response.ts";
import { andThen } from "./and-then.ts";
import { discard } from "./discard.ts";

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
