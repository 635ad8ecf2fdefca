// An app as a WHATWG fetch handler: for edge runtimes, test tools, other frameworks' mounts.
import { incomingBody } from "../body/incoming.ts";
import { pumpBody } from "../body/pump.ts";
import { checkResponseHead } from "../headers/check.ts";
import { contentLength } from "../headers/content-length.ts";
import { scrubIdentity } from "../headers/identity.ts";
import { isBodilessStatus } from "../headers/status.ts";
import type { AppSource } from "../model/app.ts";
import { emptyBody, type RequestBody } from "../model/body.ts";
import type { AppContext } from "../model/context.ts";
import { HeaderList } from "../model/headers.ts";
import type { Exchange, HttpRequest, Outcome } from "../model/request.ts";
import type { HttpResponse } from "../model/response.ts";
import { emptyState } from "../model/state.ts";
import { createContext } from "../pipeline/context.ts";
import { discard } from "../pipeline/discard.ts";
import { errorAnswer } from "../pipeline/error-answer.ts";
import { OpenExchange } from "../pipeline/exchange.ts";
import { Runtime } from "../pipeline/runtime.ts";
import { parseTarget } from "../target/parse.ts";

/** What `toFetch` may be told. */
export interface ToFetchOptions {
  /** Given to `start`. @default a silent one */
  context?: AppContext;
  /** Limit of a request body, bytes. @default 10_000_000 */
  maxBodyBytes?: number;
}

/** A fetch handler with an end. */
export interface FetchHandler {
  (request: Request): Promise<Response>;
  /** Stops the app; further requests start it again. @default deadline 30 s from now */
  close(deadline?: AbortSignal): Promise<void>;
}

/**
 * A fetch handler out of an app. The app is started at the first request.
 *
 * A `Request` knows neither its peer nor its protocol: `client` is `null`,
 * `protocol` is HTTP/1.1. It cannot open a WebSocket. Early hints and trailers are not sent.
 */
export function toFetch(app: AppSource, { context = createContext(), ...limits }: ToFetchOptions = {}): FetchHandler {
  const runtime = new Runtime(app, { context, ...limits });
  let started: Promise<void> | null = null;
  const start = async (): Promise<void> => {
    started ??= runtime.start().catch((error: unknown) => {
      started = null;
      throw error;
    });
    await started;
  };
  const handle = async (request: Request): Promise<Response> => {
    await start();
    const exchange = new OpenExchange(runtime);
    return respond(runtime, exchange, fromRequest(request, exchange));
  };
  return Object.assign(handle, {
    async close(deadline: AbortSignal = AbortSignal.timeout(30_000)) {
      if (started === null) return;
      started = null;
      await runtime.stop(deadline);
    },
  });
}

async function respond(runtime: Runtime, exchange: OpenExchange, request: HttpRequest): Promise<Response> {
  // `Runtime.answer` turns an accept into a response: the request is a plain one.
  let answer = (await runtime.answer(request)) as HttpResponse;
  try {
    checkResponseHead(answer);
  } catch (error) {
    await discard(answer);
    answer = errorAnswer(error, request);
  }
  const { status } = answer;
  const headers = new Headers(answer.headers as unknown as [string, string][]);
  if (request.method === "HEAD" || isBodilessStatus(status) || answer.body === null) {
    await discard(answer);
    exchange.end({ status, bytesSent: 0, result: "sent", error: null });
    return new Response(null, { status, headers });
  }
  return new Response(
    streamOf(answer, request.signal, (outcome) => exchange.end(outcome)),
    { status, headers },
  );
}

/** The body as a stream that asks for a chunk when the reader wants one. */
function streamOf(
  answer: HttpResponse,
  signal: AbortSignal,
  onEnd: (outcome: Outcome) => void,
): ReadableStream<Uint8Array> {
  const cancelled = new AbortController();
  let wanted = (): void => {};
  let sent = 0;
  const finish = (result: Outcome["result"], error: unknown): void =>
    onEnd({ status: answer.status, bytesSent: sent, result, error });
  const send = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    try {
      await pumpBody(answer, {
        signal: AbortSignal.any([signal, cancelled.signal]),
        write(chunk) {
          sent += chunk.length;
          controller.enqueue(chunk);
          return new Promise((resolve) => {
            wanted = resolve;
          });
        },
      });
      controller.close();
      finish("sent", null);
    } catch (error) {
      const isGone = signal.aborted || cancelled.signal.aborted;
      if (!cancelled.signal.aborted) controller.error(error);
      finish(isGone ? "gone" : "cut", isGone ? null : error);
    }
  };
  let sending: Promise<void> | null = null;
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (sending === null) sending = send(controller);
        else wanted();
      },
      async cancel() {
        cancelled.abort();
        if (sending !== null) return sending;
        await discard(answer);
        finish("gone", null);
      },
    },
    { highWaterMark: 0 },
  );
}

function fromRequest(request: Request, exchange: Exchange): HttpRequest {
  const url = new URL(request.url);
  const scheme = url.protocol === "https:" ? "https" : "http";
  const target = url.pathname + url.search;
  const { path, query } = parseTarget(target, request.method);
  const headers = scrubIdentity(HeaderList.from(request.headers as Iterable<[string, string]>));
  return {
    kind: "http",
    method: request.method,
    scheme,
    target,
    mount: "",
    path,
    query,
    protocol: "HTTP/1.1",
    headers: headers.has("host") ? headers : HeaderList.from([["Host", url.host], ...headers]),
    body: bodyOf(request, headers, exchange),
    client: null,
    server: { host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port) || (scheme === "https" ? 443 : 80) },
    tls: null,
    principal: null,
    params: new Map(),
    state: emptyState,
    signal: request.signal,
    exchange,
  };
}

function bodyOf({ body }: Request, headers: HeaderList, exchange: Exchange): RequestBody {
  if (body === null) return emptyBody;
  return incomingBody({ length: contentLength(headers), exchange, open: () => body });
}
