// A WHATWG fetch handler as an app: Hono, h3, or any `fetch(request)`.
import type { App, Handler, Lifecycle } from "../model/app.ts";
import { GatewayError, isGatewayError } from "../model/errors.ts";
import { HeaderList } from "../model/headers.ts";
import type { MaybePromise } from "../model/maybe-promise.ts";
import type { Principal } from "../model/principal.ts";
import type { HttpRequest } from "../model/request.ts";
import type { HttpResponse } from "../model/response.ts";
import { andThen } from "../pipeline/and-then.ts";
import { noSockets } from "../pipeline/kinds.ts";
import { encodePath, rawPath } from "../target/raw.ts";

/** What a fetch handler is given as its second argument: Hono's `c.env`. */
export interface FetchEnvironment {
  /** The request as the gateway has it. */
  readonly request: HttpRequest;
  readonly principal: Principal | null;
  /** Variables from a front server. */
  readonly params: ReadonlyMap<string, string>;
}

/** What a fetch handler is given as its third argument: Hono's `c.executionCtx`. */
export interface FetchExecution {
  /** Keeps the gateway from stopping before this has settled. */
  waitUntil(work: Promise<unknown>): void;
  passThroughOnException(): void;
}

/** A fetch handler; the second and third argument may be ignored. */
export type FetchFunction = (
  request: Request,
  environment: FetchEnvironment,
  execution: FetchExecution,
) => MaybePromise<Response>;

/** A fetch handler, or an object that has one: a Hono or h3 app, a module with a default export. */
export type FetchSource = FetchFunction | ({ readonly fetch: FetchFunction } & Lifecycle);

/**
 * An app out of a fetch handler.
 *
 * It sees the path under the mount. Its `Request` has `context` (the
 * environment, h3's `event.context`) and `waitUntil` as own properties.
 * Bodies stream both ways and are read on demand; `Set-Cookie` lines stay
 * apart. `Request` cannot carry a body with GET or HEAD: there it is empty.
 *
 * @throws GatewayError per request `GW_FETCH_METHOD` (501) for CONNECT, TRACE, TRACK, which `Request` refuses;
 *   `GW_FETCH_RESPONSE` (500) for a result that is no `Response`, or one with status 0 or below 200.
 */
export function fromFetch(source: FetchSource): App {
  const call: FetchFunction = typeof source === "function" ? source : (...given) => source.fetch(...given);
  const handle: Handler = (request) => {
    if (request.kind === "websocket") return noSockets;
    const environment = { request, principal: request.principal, params: request.params };
    const execution = executionOf(request);
    const asked = Object.assign(toRequest(request), { context: { ...environment }, waitUntil: execution.waitUntil });
    return andThen(call(asked, environment, execution), fromResponse);
  };
  const { start, stop, reload, describe, status } = typeof source === "function" ? ({} as Lifecycle) : source;
  return {
    handle,
    ...(start && { start }),
    ...(stop && { stop }),
    ...(reload && { reload }),
    describe: describe ?? (() => ({ kind: "fetch", name: call.name === "call" ? "fetch" : call.name || "fetch" })),
    ...(status && { status }),
  };
}

const REFUSED_METHODS = /^(?:CONNECT|TRACE|TRACK)$/i;

function toRequest(request: HttpRequest): Request {
  const { method, headers, body, signal } = request;
  if (REFUSED_METHODS.test(method)) {
    throw new GatewayError("GW_FETCH_METHOD", 501, `this app cannot be asked with the method ${method}`);
  }
  const init: RequestInit = { method, headers: headers as unknown as Headers, signal };
  // `Request` refuses a body with these, whatever its length.
  if (body.length !== 0 && method !== "GET" && method !== "HEAD") {
    Object.assign(init, { body: ReadableStream.from(body), duplex: "half" });
  }
  return new Request(urlOf(request), init);
}

function urlOf(request: HttpRequest): string {
  const { scheme, server, query } = request;
  const path = request.path === "*" ? "/*" : rawPath(request);
  const host = request.headers.get("host") ?? hostText(server);
  const search = query === "" ? "" : `?${encodeQuery(query)}`;
  return `${scheme}://${host === "" ? "localhost" : host}${path.startsWith("/") ? path : `/${path}`}${search}`;
}

function hostText(server: HttpRequest["server"]): string {
  if (!("host" in server)) return "";
  return `${server.host.includes(":") ? `[${server.host}]` : server.host}:${server.port}`;
}

/** Bytes above ASCII would be read as chars and encoded as UTF-8 again. */
function encodeQuery(query: string): string {
  return /[^\u0021-\u007e]/.test(query) ? query.replace(/[^\u0021-\u007e]/g, encodePath) : query;
}

function executionOf({ exchange }: HttpRequest): FetchExecution {
  return {
    waitUntil(work) {
      exchange.onEnd(async () => {
        await work;
      });
      // Until the exchange ends nobody else looks at it.
      work.catch(() => {});
    },
    passThroughOnException() {},
  };
}

function fromResponse(response: Response): HttpResponse {
  if (!isResponse(response)) {
    throw new GatewayError("GW_FETCH_RESPONSE", 500, `fetch must give a Response, found ${typeof response}`);
  }
  const { status, body } = response;
  if (status < 200) throw new GatewayError("GW_FETCH_RESPONSE", 500, `a Response with status ${status} cannot be sent`);
  const headers = HeaderList.from(response.headers as Iterable<[string, string]>);
  if (body === null) return { kind: "response", status, headers, body: null };
  return { kind: "response", status, headers, body: bytesOf(body), close: () => cancelUnread(body) };
}

/** Frameworks hand out look-alikes of `Response`, so its class does not matter. */
function isResponse(value: unknown): value is Response {
  const { status, headers } = (value ?? {}) as Partial<Response>;
  return typeof status === "number" && typeof headers?.get === "function";
}

function bytesOf(body: ReadableStream<Uint8Array>): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => body[Symbol.asyncIterator]() };
}

/** A stream that was never read, or was left half way, is let go. */
async function cancelUnread(body: ReadableStream<Uint8Array>): Promise<void> {
  if (body.locked) return;
  await body.cancel().catch((error: unknown) => {
    if (isGatewayError(error)) throw error;
  });
}
