// Compressed answers for clients that take them (RFC 9110 §8.4; R-H19).
import {
  type Answer,
  acceptedEncodings,
  type GatewayRequest,
  type HttpResponse,
  layer,
  type Middleware,
  mapBody,
} from "@gw/core";
import { type Coder, type Coding, coders } from "./compress/codings.ts";
import { gzipSteps } from "./compress/gzip-steps.ts";
import { codeLive } from "./compress/live.ts";
import { withVary } from "./headers/vary.ts";

export type { Coding } from "./compress/codings.ts";

/** Settings of `compress`. */
export interface CompressOptions {
  /** Codings, best first, for clients that like several as much; those that the runtime lacks (zstd before Node 22.15) are left out. @default ["br", "zstd", "gzip"] */
  codings?: readonly Coding[];
  /** Shortest body that is worth it, bytes; a stream always is. @default 1_024 */
  minBytes?: number;
  /** Whether a type is compressed; lower case, without parameters. @default text, JSON, XML, scripts, fonts, SVG, WebAssembly */
  types?: (type: string) => boolean;
  /** Whether answers that set cookies are compressed as well. Risk: lengths tell of the cookie beside what a client chose. @default false */
  withCookies?: boolean;
}

/** Bytes that are coded in one go; longer ones in pieces, as gzip. */
const MAX_WHOLE_BYTES = 262_144;
const PIECE_BYTES = 65_536;

/**
 * Compresses answers. Put it outermost, outside of `etag`.
 *
 * Bytes and bodies of sync apps are coded without a promise; a stream's chunks can be read by the client as they are
 * made. Left alone: what is coded already, `no-transform`, ranges, answers with digests or cookies. `Vary` says
 * what it depends on; a strong `ETag` becomes weak.
 */
export function compress(options: CompressOptions = {}): Middleware {
  const { codings = ["br", "zstd", "gzip"], minBytes = 1_024, types = isCompressible, withCookies = false } = options;
  const offered = codings.filter((coding) => coders.has(coding));
  return layer({
    name: "compress",
    onResponse(answer, request) {
      if (!mayCompress(answer, request, types)) return answer;
      const varied = { ...answer, headers: withVary(answer.headers, "Accept-Encoding") };
      if (isShort(answer, minBytes) || (!withCookies && answer.headers.has("set-cookie"))) return varied;
      return compressed(varied, acceptedEncodings(request.headers.get("accept-encoding"), offered));
    },
  });
}

const COMPRESSIBLE =
  /^text\/|[/+](?:json5?|xml|yaml|toml|wasm|javascript|x-ndjson|manifest\+json)\b|^font\/[ot]tf|^image\/(?:bmp|x-icon|vnd\.microsoft\.icon)/;

/** Whether bytes of a type get much shorter. */
export function isCompressible(type: string): boolean {
  return COMPRESSIBLE.test(type);
}

// Digests are of the bytes as they are (RFC 9530).
const FIXED_BY = ["content-encoding", "content-range", "content-digest", "repr-digest", "digest", "content-md5"];

function mayCompress(
  answer: Answer,
  request: GatewayRequest,
  types: (type: string) => boolean,
): answer is HttpResponse {
  if (answer.kind === "accept" || answer.body === null || answer.status === 206 || answer.status === 204) return false;
  const { headers } = answer;
  if (FIXED_BY.some((name) => headers.has(name))) return false;
  if (forbidsChange(headers.get("cache-control")) || forbidsChange(request.headers.get("cache-control"))) return false;
  return types((headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "");
}

/** RFC 9111 §5.2.1.6, §5.2.2.6 */
function forbidsChange(cacheControl: string | null): boolean {
  return cacheControl !== null && /(?:^|[\s,])no-transform\s*(?:,|$)/i.test(cacheControl);
}

function isShort({ body, headers }: HttpResponse, minBytes: number): boolean {
  const length = body instanceof Uint8Array ? body.length : headers.get("content-length");
  return length !== null && Number(length) < minBytes;
}

function compressed(answer: HttpResponse, accepted: readonly Coding[]): HttpResponse {
  const { body } = answer;
  if (body === null) return answer;
  const [best] = accepted;
  if (best === undefined) return answer;
  const coder = coders.get(best) as Coder;
  if (body instanceof Uint8Array && body.length <= MAX_WHOLE_BYTES) {
    const coded = coder.whole(body);
    return coded.length < body.length ? { ...coding(answer, best), body: coded } : answer;
  }
  if (!(body instanceof Uint8Array) && Symbol.asyncIterator in body) {
    return mapBody(coding(answer, best), (chunks) => codeLive(chunks, coder));
  }
  if (!accepted.includes("gzip")) return answer; // only gzip can be made in pieces without waiting
  const source = body instanceof Uint8Array ? { ...answer, body: pieces(body) } : answer;
  return mapBody(coding(source, "gzip"), { steps: gzipSteps });
}

function coding(answer: HttpResponse, name: Coding): HttpResponse {
  const headers = answer.headers.without("content-length", "accept-ranges").append("Content-Encoding", name);
  const etag = headers.get("etag");
  const isStrong = etag?.startsWith('"') === true;
  return { ...answer, headers: isStrong ? headers.with("ETag", `W/${etag}`) : headers };
}

function pieces(bytes: Uint8Array): Iterable<Uint8Array> {
  return {
    *[Symbol.iterator]() {
      for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
    },
  };
}
