// toWsgi: a synchronous handler as a WSGI application, so that any WSGI server or middleware can hold it.
import {
  type App,
  type AppContext,
  type AppSource,
  asyncOrigin,
  createContext,
  DEFAULT_MAX_BODY_BYTES,
  discard,
  GatewayError,
  type HttpRequest,
  type HttpResponse,
  isPromise,
  type Lifecycle,
  Runtime,
  reasonPhrase,
} from "@gw/core";
import { HandlerResult } from "./handler-result.ts";
import { readEnviron } from "./read-environ.ts";
import type { WsgiApp } from "./types.ts";

/** Inputs of `toWsgi`. */
export interface ToWsgiOptions {
  /** Source of the log, and what `dispatch` and `onEnd` run in. @default a silent context */
  context?: AppContext;
  /** Limit of a request body, bytes. @default 10_000_000 */
  maxBodyBytes?: number;
}

/**
 * A synchronous handler, or an app made of synchronous layers, as a WSGI application.
 *
 * WSGI knows no start and stop: those of the app hang on the function, and
 * `fromWsgi` runs them; elsewhere call them yourself.
 *
 * @throws GatewayError `GW_WSGI_ASYNC` (500), when called, if the answer or its body comes later; it names the layer
 */
export function toWsgi(source: AppSource, options: ToWsgiOptions = {}): WsgiApp & Lifecycle {
  const { context = createContext(), maxBodyBytes = DEFAULT_MAX_BODY_BYTES } = options;
  const runtime = new Runtime(source, { context, maxBodyBytes });
  const application: WsgiApp = (environ, startResponse) => {
    const { request, exchange } = readEnviron(environ, runtime);
    const response = answerNow(runtime, request);
    const body = syncBody(response);
    const result = new HandlerResult({ response, body, exchange, runtime, isHead: request.method === "HEAD" });
    try {
      startResponse(statusLine(response.status), [...response.headers]);
    } catch (error) {
      result.close();
      throw error;
    }
    return result;
  };
  return Object.assign(application, lifeOf(runtime.app));
}

function answerNow(runtime: Runtime, request: HttpRequest): HttpResponse {
  const answer = runtime.answer(request);
  // Runtime.answer gives nothing but a response for a plain request.
  if (!isPromise(answer)) return answer as HttpResponse;
  answer.then(discard).catch(() => {});
  throw asyncError(`${asyncOrigin(answer) ?? "the app"} answered with a promise`);
}

function syncBody(response: HttpResponse): null | Uint8Array | Iterable<Uint8Array> {
  const { body } = response;
  if (body === null || body instanceof Uint8Array || Symbol.iterator in body) return body;
  const closing = discard(response);
  if (isPromise(closing)) closing.catch(() => {});
  throw asyncError("the body of the answer is an AsyncIterable");
}

function asyncError(found: string): GatewayError {
  return new GatewayError("GW_WSGI_ASYNC", 500, `toWsgi needs a synchronous pipeline, but ${found}`);
}

function statusLine(status: number): string {
  return `${status} ${reasonPhrase(status)}`;
}

function lifeOf({ start, stop, reload, status }: App): Lifecycle {
  return { ...(start && { start }), ...(stop && { stop }), ...(reload && { reload }), ...(status && { status }) };
}
