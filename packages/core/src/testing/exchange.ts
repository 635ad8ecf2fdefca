// One request in memory: everything a carrier does around an app, without a socket.

import { pumpBody } from "../body/pump.ts";
import { decodeText } from "../bytes/byte-string.ts";
import { ByteQueue } from "../bytes/queue.ts";
import { checkResponseHead } from "../headers/check.ts";
import { scrubIdentity } from "../headers/identity.ts";
import { isBodilessStatus } from "../headers/status.ts";
import type { HeaderList } from "../model/headers.ts";
import type { MaybePromise } from "../model/maybe-promise.ts";
import type { GatewayRequest, Outcome } from "../model/request.ts";
import type { Answer, HttpResponse } from "../model/response.ts";
import { discard } from "../pipeline/discard.ts";
import { errorAnswer } from "../pipeline/error-answer.ts";
import { OpenExchange } from "../pipeline/exchange.ts";
import { notesIfAny } from "../pipeline/notes.ts";
import type { Runtime } from "../pipeline/runtime.ts";
import { type TestRequestInit, testRequest } from "./builders.ts";

/** A request and how its answer is read. */
export interface SendInit extends Omit<TestRequestInit, "exchange"> {
  /** Called with each chunk of the answer; a promise holds the next one back, like a slow client. */
  onChunk?: (chunk: Uint8Array) => MaybePromise<void>;
}

/** An answer as the client got it. */
export interface TestResponse {
  readonly status: number;
  readonly headers: HeaderList;
  /** The body that arrived, also if it was cut. */
  readonly bytes: Uint8Array;
  readonly trailers: HeaderList | null;
  /** Headers of each 103 that came before. */
  readonly earlyHints: readonly HeaderList[];
  /** How the exchange ended: `result` is `"cut"` when the body broke off. */
  readonly outcome: Outcome;
  /** The body as UTF-8. */
  text(): string;
  /** The body as JSON. */
  json(): unknown;
}

/** An exchange that keeps its early hints. */
export class MemoryExchange extends OpenExchange {
  readonly earlyHints: HeaderList[] = [];

  inform(headers: HeaderList): void {
    this.earlyHints.push(headers);
  }
}

/** Sends a request through a started app and reads the whole answer. */
export async function sendRequest(runtime: Runtime, target: string, init: SendInit): Promise<TestResponse> {
  const exchange = new MemoryExchange(runtime);
  if (init.maxBodyBytes !== undefined) exchange.maxBodyBytes = init.maxBodyBytes;
  const { request, refusal } = readRequest(target, { ...init, exchange });
  const answer = refusal ?? ((await runtime.answer(request)) as HttpResponse);
  return receive(answer, request, exchange, init.onChunk);
}

/** The request, or what a carrier answers when it cannot be read. */
function readRequest(target: string, init: TestRequestInit): { request: GatewayRequest; refusal: HttpResponse | null } {
  try {
    const request = testRequest(target, init);
    return { request: { ...request, headers: scrubIdentity(request.headers) }, refusal: null };
  } catch (error) {
    const { headers: _, body: __, ...rest } = init;
    const request = testRequest("/", rest);
    return { request, refusal: errorAnswer(error, request) };
  }
}

/** Reads an answer to its end as a client would, and ends the exchange. */
export async function receive(
  given: Exclude<Answer, { kind: "accept" }>,
  request: GatewayRequest,
  exchange: MemoryExchange,
  onChunk: SendInit["onChunk"],
): Promise<TestResponse> {
  const answer = await checked(given, request);
  const received = new ByteQueue();
  const { outcome, trailers } = await readBody(answer, request, async (chunk) => {
    received.push(chunk.slice());
    await onChunk?.(chunk);
  });
  const error = outcome.error ?? (answer.status >= 500 ? (notesIfAny(exchange)?.error ?? null) : null);
  const ended = { ...outcome, error };
  exchange.end(ended);
  const bytes = received.takeAll();
  const { status, headers } = answer;
  const body = { bytes, text: () => decodeText(bytes), json: () => JSON.parse(decodeText(bytes)) as unknown };
  return { status, headers, trailers, earlyHints: exchange.earlyHints, outcome: ended, ...body };
}

async function checked(answer: HttpResponse, request: GatewayRequest): Promise<HttpResponse> {
  try {
    checkResponseHead(answer);
    return answer;
  } catch (error) {
    await discard(answer);
    return errorAnswer(error, request);
  }
}

async function readBody(
  answer: HttpResponse,
  { method, signal }: GatewayRequest,
  write: (chunk: Uint8Array) => Promise<void>,
): Promise<{ outcome: Outcome; trailers: HeaderList | null }> {
  const { status } = answer;
  if (method === "HEAD" || isBodilessStatus(status)) {
    await discard(answer);
    return { outcome: { status, bytesSent: 0, result: "sent", error: null }, trailers: null };
  }
  let bytesSent = 0;
  try {
    const { trailers } = await pumpBody(answer, {
      signal,
      write(chunk) {
        bytesSent += chunk.length;
        return write(chunk);
      },
    });
    return { outcome: { status, bytesSent, result: "sent", error: null }, trailers };
  } catch (error) {
    return { outcome: { status, bytesSent, result: signal.aborted ? "gone" : "cut", error }, trailers: null };
  }
}
