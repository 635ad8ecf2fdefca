// What an upstream answers, as an answer: checked like an app's (R-F16, R-F17).
import type { IncomingMessage } from "node:http";
import {
  ByteQueue,
  checkResponseHead,
  contentLength,
  type ExclusiveBody,
  HeaderList,
  type HttpResponse,
  isBodiless,
  isGatewayError,
  withoutHopByHop,
} from "@gw/core";
import type { ProxyCall } from "./proxy-call.ts";
import { clientLeft, ProxyError } from "./proxy-error.ts";
import { type PathMap, rewriteAnswerFields } from "./proxy-rewrite.ts";
import type { StreamBody } from "./stream-body.ts";

/** Most lines of a head; like that of a program (R-C17). */
const MAX_LINES = 200;

/** An answer of known length up to this size leaves in one piece with its head, if it is there by then. */
const SMALL_BYTES = 16_384;

/** Fields of an opening's answer that the carrier writes. */
const HANDSHAKE = /^(?:sec-websocket-.*|content-length)$/i;

/** Fields that would change what a message is; as trailers they mean nothing good (RFC 9110 §6.5.1). */
const NEVER_TRAILERS =
  /^(?:content-.*|transfer-encoding|host|set-cookie|authorization|location|cache-control|expires|vary|www-authenticate|proxy-.*|connection|te|trailer|upgrade|keep-alive|status)$/i;

/**
 * The answer; its body streams on.
 *
 * @throws ProxyError `GW_PROXY_ANSWER` (502) for a head that no app might send either; what the call failed with
 */
export async function upstreamAnswer(call: ProxyCall, method: string, paths: PathMap): Promise<HttpResponse> {
  const res = await call.head;
  try {
    const head = readHead(res, paths);
    if (isBodiless(method, head.status)) return { ...head, body: await nothing(call) };
    const length = contentLength(head.headers, 502);
    if (length !== null && length <= SMALL_BYTES) {
      const whole = await wholeIfThere(call);
      if (whole !== null) return { ...head, body: whole };
    }
    return streamed(call, res, head);
  } catch (error) {
    call.cancel(error);
    throw error;
  }
}

type AnswerHead = Pick<HttpResponse, "kind" | "status" | "headers">;

function readHead(res: IncomingMessage, paths: PathMap): AnswerHead {
  const { rawHeaders, statusCode: status = 0 } = res;
  if (rawHeaders.length > MAX_LINES * 2) throw badAnswer(`its head has more than ${MAX_LINES} lines`);
  const raw = HeaderList.fromWire(rawHeaders);
  checkFraming(res, raw);
  const head = { kind: "response", status, headers: answerFields(raw, paths, status) } as const;
  checked(head);
  return head;
}

/**
 * Fields of a 101 that are for the client: what belongs to the handshake is each side's own.
 *
 * @throws ProxyError `GW_PROXY_ANSWER` (502) for fields that no app might send either
 */
export function acceptFields({ rawHeaders }: IncomingMessage, paths: PathMap): HeaderList {
  if (rawHeaders.length > MAX_LINES * 2) throw badAnswer(`its head has more than ${MAX_LINES} lines`);
  const fields = withoutHopByHop(HeaderList.fromWire(rawHeaders)).filter((name) => !HANDSHAKE.test(name));
  const headers = rewriteAnswerFields(fields, paths);
  checked({ kind: "response", status: 200, headers });
  return headers;
}

/**
 * Fields of an answer as clients may see them.
 *
 * @throws GatewayError `GW_CONTENT_LENGTH` (502)
 */
export function answerFields(raw: HeaderList, paths: PathMap, status: number): HeaderList {
  const headers = rewriteAnswerFields(withoutHopByHop(raw), paths);
  const length = contentLength(headers, 502);
  if (length === null) return headers;
  // Lines that repeat the same number are one (RFC 9110 §8.6); a 204 has none.
  return status === 204 ? headers.without("Content-Length") : headers.with("Content-Length", String(length));
}

/** @throws ProxyError `GW_PROXY_ANSWER` (502) */
function checked(head: AnswerHead): void {
  try {
    checkResponseHead({ ...head, body: null });
  } catch (error) {
    throw badAnswer(isGatewayError(error) ? error.message : "its head is malformed", error);
  }
}

/** All doubt about where the body ends is refused: two readers might read two answers. */
function checkFraming({ httpVersionMinor }: IncomingMessage, raw: HeaderList): void {
  const codings = raw.getAll("transfer-encoding");
  const [coding] = codings;
  if (coding === undefined) return;
  const isChunked = codings.length === 1 && coding.toLowerCase() === "chunked";
  if (!isChunked || httpVersionMinor === 0 || raw.has("content-length")) {
    throw badAnswer(`the length of its body is in doubt: Transfer-Encoding is ${JSON.stringify(coding.slice(0, 80))}`);
  }
}

/** Reads past a body that is not there, so that the connection can be used again. */
async function nothing(call: ProxyCall): Promise<null> {
  (call.body as StreamBody)[Symbol.asyncIterator]();
  const { done } = await call.read();
  if (!done) throw badAnswer("it has a body where none may be");
  return null;
}

/** The body, if all of it has come with the head. */
async function wholeIfThere(call: ProxyCall): Promise<Uint8Array | null> {
  const body = call.body as StreamBody;
  body[Symbol.asyncIterator]();
  await new Promise(setImmediate);
  if (body.isOpen || body.hasFailed) return null;
  const held = new ByteQueue();
  for (;;) {
    const { done, value } = await call.read();
    if (done) return held.takeAll();
    held.push(value);
  }
}

function streamed(call: ProxyCall, res: IncomingMessage, head: AnswerHead): HttpResponse {
  const body = call.body as StreamBody;
  call.waitForClient();
  let isWhole = false;
  const read = async (): Promise<IteratorResult<Uint8Array>> => {
    const result = await call.read();
    if (result.done) isWhole = true;
    return result;
  };
  const close = (): void => {
    if (!isWhole) call.cancel(clientLeft());
  };
  const stopped = async (): Promise<IteratorResult<Uint8Array>> => {
    close();
    return { done: true, value: undefined };
  };
  const iterate = (): AsyncIterator<Uint8Array> => {
    if (!body.isOpen) body[Symbol.asyncIterator]();
    return { next: read, return: stopped };
  };
  const passedOn: AsyncIterable<Uint8Array> & ExclusiveBody = {
    [Symbol.asyncIterator]: iterate,
    ownsItsChunks() {
      return this === passedOn;
    },
  };
  const answer = { ...head, body: passedOn, close };
  if (head.headers.has("content-length")) return answer;
  return { ...answer, trailers: () => trailersOf(res) };
}

function trailersOf({ rawTrailers }: IncomingMessage): HeaderList | null {
  if (rawTrailers.length === 0 || rawTrailers.length > MAX_LINES * 2) return null;
  const trailers = HeaderList.fromWire(rawTrailers).filter((name) => !NEVER_TRAILERS.test(name));
  return trailers.size === 0 ? null : trailers;
}

function badAnswer(why: string, cause?: unknown): ProxyError {
  return new ProxyError("GW_PROXY_ANSWER", `the upstream's answer cannot be passed on: ${why}`, { cause });
}
