// Entity tags for answers that have none (RFC 9110 §8.8.3).
import { hash } from "node:crypto";
import { type Answer, type GatewayRequest, type HttpResponse, layer, type Middleware } from "@gw/core";

/** Settings of `etag`. */
export interface EtagOptions {
  /** Whether tags are weak: the same page, not the same bytes. @default false */
  weak?: boolean;
  /** Longest body that is hashed, bytes. @default 1_048_576 */
  maxBytes?: number;
}

/**
 * Gives 200 answers to GET and HEAD an ETag made from their bytes.
 *
 * Streams, answers that must not be stored (`no-store`) and those with a tag of their own stay as they are.
 * `conditionalGet` outside of it answers 304.
 */
export function etag({ weak = false, maxBytes = 1_048_576 }: EtagOptions = {}): Middleware {
  return layer({
    name: "etag",
    onResponse: (answer, request) => {
      if (!isTaggable(answer, request) || answer.body.length > maxBytes) return answer;
      return { ...answer, headers: answer.headers.append("ETag", (weak ? "W/" : "") + etagOf(answer.body)) };
    },
  });
}

/** A strong entity tag of bytes: equal bytes, equal tag. */
export function etagOf(bytes: Uint8Array): string {
  return `"${hash("sha256", bytes, "base64url").slice(0, 27)}"`;
}

function isTaggable(answer: Answer, request: GatewayRequest): answer is HttpResponse & { body: Uint8Array } {
  if (answer.kind === "accept" || answer.status !== 200 || !(answer.body instanceof Uint8Array)) return false;
  if (request.method !== "GET" && request.method !== "HEAD") return false;
  const { headers } = answer;
  return !headers.has("etag") && !/\bno-store\b/i.test(headers.get("cache-control") ?? "");
}
