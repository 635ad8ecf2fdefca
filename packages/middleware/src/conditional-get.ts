// 304 instead of a body that the client has already (RFC 9110 §13).
import {
  type Answer,
  andThen,
  discard,
  evaluatePreconditions,
  type GatewayRequest,
  type HttpResponse,
  layer,
  type MaybePromise,
  type Middleware,
  parseHttpDate,
} from "@gw/core";
import { refusal } from "./pages/refusal.ts";

const OF_A_BODY = [
  "content-type",
  "content-length",
  "content-encoding",
  "content-language",
  "content-range",
  "trailer",
];
const failed = refusal(412);

/**
 * Answers 304 or 412 to a GET or HEAD where the request's preconditions and the answer's `ETag` or `Last-Modified` say so.
 *
 * The app still does its work; what is saved is the way to the client. Changes (PUT, DELETE) have happened when their
 * answer is there: their preconditions are the app's.
 */
export function conditionalGet(): Middleware {
  return layer({ name: "conditionalGet", onResponse: conditionalAnswer });
}

/** The answer to send in the place of a 200: itself, a 304 or a 412. The old body is closed. */
export function conditionalAnswer(answer: Answer, request: GatewayRequest): MaybePromise<Answer> {
  if (answer.kind === "accept" || answer.status !== 200) return answer;
  if (request.method !== "GET" && request.method !== "HEAD") return answer;
  const etag = answer.headers.get("etag");
  const date = answer.headers.get("last-modified");
  if (etag === null && date === null) return answer;
  const lastModifiedMs = date === null ? null : parseHttpDate(date.trim());
  const verdict = evaluatePreconditions(request.method, request.headers, { etag, lastModifiedMs });
  if (verdict === "proceed") return answer;
  return andThen(discard(answer), () => (verdict === "failed" ? failed : notModified(answer)));
}

function notModified({ headers }: HttpResponse): HttpResponse {
  return { kind: "response", status: 304, headers: headers.without(...OF_A_BODY), body: null };
}
