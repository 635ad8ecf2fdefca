// One call of a WSGI application: environ in, answer out.
import { GatewayError, type HttpRequest, type HttpResponse, isBodilessStatus } from "@gw/core";
import { byteLength, joinChunks } from "./chunks.ts";
import { type Concurrency, createEnviron, type EnvironAdditions } from "./environ.ts";
import { WsgiErrors } from "./errors-stream.ts";
import type { Head, HeadReader } from "./head.ts";
import { checkChunk, ResultReader, tooShort } from "./result.ts";
import { ResponseStart, type WriteSink } from "./start-response.ts";
import type { WsgiApp, WsgiIterable } from "./types.ts";

/** Chunks of an array are sent as one up to this size: they are all there already, so none is delayed. */
const JOIN_BYTES = 65_536;

/** What a thread of its own adds to a call. */
export interface CallAdditions extends EnvironAdditions {
  /** Sends what `write()` is given at once. @default it is kept until the app returns */
  readonly write?: WriteSink;
}

/**
 * Calls the app and walks its iterable as far as needed to know the head: to
 * the first chunk that is not empty, or to the end.
 *
 * @throws what the app throws, and GatewayErrors of start_response; the iterable has then been closed
 */
export function callApp(
  app: WsgiApp,
  request: HttpRequest,
  concurrency: Concurrency,
  heads: HeadReader,
  additions: CallAdditions = NONE,
): HttpResponse {
  const errors = new WsgiErrors(request.exchange);
  const start = new ResponseStart(heads, additions.write ?? null);
  try {
    const result = app(createEnviron(request, concurrency, errors, additions), start.startResponse);
    if (!isOneChunk(result) || start.head === null || start.isHeadSent) {
      return readResult(result, start, request, errors);
    }
    start.isHeadSent = true;
    return wholeAnswer(start.head, checkChunk(result[0]), request);
  } finally {
    errors.flush();
  }
}

const NONE: CallAdditions = {};

/** The usual case: `return [body]`, with nothing to close. */
function isOneChunk(result: WsgiIterable): result is [Uint8Array] {
  return Array.isArray(result) && result.length === 1 && (result as WsgiIterable).close === undefined;
}

function readResult(
  result: WsgiIterable,
  start: ResponseStart,
  request: HttpRequest,
  errors: WsgiErrors,
): HttpResponse {
  const body = new ResultReader(result, () => errors.flush());
  try {
    return { ...readBody(result, body, start, request), close: () => body.close() };
  } catch (error) {
    closeAfter(error, body, request);
    throw error;
  }
}

function readBody(result: WsgiIterable, body: ResultReader, start: ResponseStart, request: HttpRequest): HttpResponse {
  const chunks: Uint8Array[] = [...(start.written ?? [])];
  if (start.isWriteOut) return restOf(body, start, request);
  const isArray = Array.isArray(result);
  // What write() took must not wait for a slow iterable.
  let isAtEnd = false;
  if (isArray || chunks.length === 0) isAtEnd = !pullInto(chunks, body, isArray ? JOIN_BYTES : 1);
  const { head } = start;
  if (head === null)
    throw new GatewayError("GW_WSGI_NO_START", 500, "the app gave no head: start_response was not called");
  start.isHeadSent = true;
  if (isAtEnd || isAll(result, head, chunks)) return wholeAnswer(head, joinChunks(chunks), request);
  body.announce(isBodyless(head, request) ? null : head.length, chunks);
  return { kind: "response", status: head.status, headers: head.headers, body };
}

/** What follows data that `write()` has sent already. */
function restOf(body: ResultReader, { head, writtenBytes }: ResponseStart, request: HttpRequest): HttpResponse {
  const { status, headers, length } = head as Head;
  body.announce(isBodyless(head as Head, request) || length === null ? null : length - writtenBytes, []);
  return { kind: "response", status, headers, body };
}

/** Adds chunks until they have this many bytes more; false if the iterable has ended. */
function pullInto(chunks: Uint8Array[], body: ResultReader, enough: number): boolean {
  for (let bytes = 0; bytes < enough; ) {
    const chunk = body.pull();
    if (chunk === null) return false;
    chunks.push(chunk);
    bytes += chunk.length;
  }
  return true;
}

/** Whether these chunks are the whole body, so that the answer can go out in one piece. */
function isAll(result: WsgiIterable, head: Head, chunks: readonly Uint8Array[]): boolean {
  if (head.length !== null) return byteLength(chunks) >= head.length;
  // "If a call to len(iterable) succeeds, the server must be able to rely on the result being accurate."
  return chunks.length === 1 && (result as { readonly length?: unknown }).length === 1;
}

function wholeAnswer(head: Head, bytes: Uint8Array, request: HttpRequest): HttpResponse {
  const { status, headers, length } = head;
  return { kind: "response", status, headers, body: wholeBody(head, bytes, length, request) };
}

function wholeBody(head: Head, bytes: Uint8Array, length: number | null, request: HttpRequest): Uint8Array | null {
  if (isBodilessStatus(head.status)) return null;
  if (length === null || bytes.length === length) return request.method === "HEAD" && bytes.length === 0 ? null : bytes;
  if (request.method === "HEAD") return null;
  if (bytes.length < length) throw tooShort(length, bytes.length);
  request.exchange.log.warn(
    `the app gave ${bytes.length} bytes, its Content-Length is ${length}: the rest was not sent`,
  );
  return bytes.subarray(0, length);
}

/** Whether the answer has no body on the wire, whatever the app gives. */
function isBodyless(head: Head, request: HttpRequest): boolean {
  return request.method === "HEAD" || isBodilessStatus(head.status);
}

/** Closes what an error left open; an error of `close()` itself is only logged. */
function closeAfter(error: unknown, body: ResultReader, request: HttpRequest): void {
  try {
    body.close();
  } catch (second) {
    request.exchange.log.error({ err: second, after: error }, "close() of a WSGI iterable failed");
  }
}
