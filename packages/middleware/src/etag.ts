// Entity tags for answers that have none (RFC 9110 §8.8.3).
import { hash } from "node:crypto";
import {
  type Answer,
  type GatewayRequest,
  type HttpResponse,
  layer,
  type MaybePromise,
  type Middleware,
} from "@gw/core";
import { holdBody } from "./etag/hold.ts";

/** Settings of `etag`. */
export interface EtagOptions {
  /** Whether tags are weak: the same page, not the same bytes. @default false */
  weak?: boolean;
  /** Longest body that is hashed, bytes. @default 1_048_576 */
  maxBytes?: number;
  /**
   * Whether a body that comes piece by piece (a CGI program's, PHP's, Python's) is held until its end or `maxBytes`, to be
   * tagged too. Risk: nothing of it is sent before; `text/event-stream` is never held. @default false
   */
  streams?: boolean;
}

/**
 * Gives 200 answers to GET and HEAD an ETag made from their bytes.
 *
 * Longer ones, streams unless `streams` says otherwise, answers that must not be stored (`no-store`) and those with a tag
 * of their own stay as they are. `conditionalGet` outside of it answers 304.
 */
export function etag({ weak = false, maxBytes = 1_048_576, streams = false }: EtagOptions = {}): Middleware {
  const tagged = (answer: HttpResponse): HttpResponse => {
    if (!(answer.body instanceof Uint8Array) || answer.body.length > maxBytes) return answer;
    return { ...answer, headers: answer.headers.append("ETag", (weak ? "W/" : "") + etagOf(answer.body)) };
  };
  return layer({
    name: "etag",
    onResponse(answer, request): MaybePromise<Answer> {
      if (!isTaggable(answer, request)) return answer;
      if (answer.body === null || answer.body instanceof Uint8Array) return tagged(answer);
      return streams && canHold(answer) ? holdBody(answer, answer.body, maxBytes).then(tagged) : answer;
    },
  });
}

/** Whether nobody waits for the pieces: events, and answers with trailers, go out as they come. */
function canHold({ headers, trailers }: HttpResponse): boolean {
  return trailers === undefined && !/^text\/event-stream\b/i.test(headers.get("content-type") ?? "");
}

/** A strong entity tag of bytes: equal bytes, equal tag. */
export function etagOf(bytes: Uint8Array): string {
  return `"${hash("sha256", bytes, "base64url").slice(0, 27)}"`;
}

function isTaggable(answer: Answer, request: GatewayRequest): answer is HttpResponse {
  if (answer.kind === "accept" || answer.status !== 200) return false;
  if (request.method !== "GET" && request.method !== "HEAD") return false;
  const { headers } = answer;
  return !headers.has("etag") && !/\bno-store\b/i.test(headers.get("cache-control") ?? "");
}
