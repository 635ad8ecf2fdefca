// HEAD for apps that only know GET (RFC 9110 §9.3.2).
import {
  type Answer,
  andThen,
  discard,
  layer,
  type MaybePromise,
  type Middleware,
  type StateKey,
  stateKey,
} from "@gw/core";

const asked: StateKey<true> = stateKey("gw.head");

/**
 * Asks the app GET for a HEAD, and drops the body of its answer.
 *
 * Content-Length is added where the body is bytes; a stream is closed unread. Apps that answer HEAD themselves are
 * better off without this layer: they need not make a body.
 */
export function head(): Middleware {
  return layer({
    name: "head",
    onRequest(request) {
      if (request.method !== "HEAD" || request.kind === "websocket") return request;
      return { ...request, method: "GET", state: request.state.with(asked, true) };
    },
    onResponse: (answer, { state }) => (state.get(asked) === true ? withoutBody(answer) : answer),
  });
}

function withoutBody(answer: Answer): MaybePromise<Answer> {
  if (answer.kind === "accept" || answer.body === null) return answer;
  const { status, headers, body } = answer;
  const isSized = body instanceof Uint8Array && !headers.has("content-length");
  const sized = isSized ? headers.append("Content-Length", String(body.length)) : headers;
  return andThen(discard(answer), () => ({ kind: "response", status, headers: sized.without("trailer"), body: null }));
}
