// A WHATWG fetch handler as an app: Hono, h3, or any `fetch(request)`.
import { withoutHopByHop } from "../headers/hop-by-hop.ts";
import type { App } from "../model/app.ts";
import { GatewayError } from "../model/errors.ts";
import { HeaderList } from "../model/headers.ts";
import type { MaybePromise } from "../model/maybe-promise.ts";
import type { Principal } from "../model/principal.ts";
import type { HttpRequest } from "../model/request.ts";
import type { HttpResponse } from "../model/response.ts";
import { andThen } from "../pipeline/and-then.ts";
import { noSockets } from "../pipeline/kinds.ts";
import { encodeByte, rawPath } from "../target/raw.ts";

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
  /** Does nothing: what the app throws becomes an answer anyway. */
  passThroughOnException(): void;
  /** Empty. */
  readonly props: object;
}

/** A fetch handler; the second and third argument may be ignored. */
export type FetchFunction = (
  request: Request,
  environment: FetchEnvironment,
  execution: FetchExecution,
) => MaybePromise<Response>;

/** A fetch handler, or an object that has one: a Hono or h3 app, a module with a default export. */
export type FetchSource = FetchFunction | { readonly fetch: FetchFunction };

/**
 * An app out of a fetch handler.
 *
 * It sees the path under the mount. Its `Request` has `context` (the
 * environment, h3's `event.context`) and `waitUntil` as own properties.
 * Bodies stream both ways and are read on demand; `Set-Cookie` lines stay
 * apart; fields that concern a connection are dropped. `Request` cannot carry
 * a body with GET or HEAD: there it is empty. Sockets are answered 400.
 *
 * @throws GatewayError per request `GW_FETCH_METHOD` (501) for CONNECT, TRACE, TRACK, which `Request` refuses;
 *   `GW_FETCH_REQUEST` (400) for whatever else it refuses; `GW_FETCH_RESPONSE` (500) for a result that is no
 *   `Response`, or one with a status below 200.
 */
export function fromFetch(source: FetchSource): App {
  const call: FetchFunction = typeof source === "function" ? source : (...given) => source.fetch(...given);
  const name = (typeof source === "function" && source.name) || "fetch";
  return {
    handle: (request) => {
      if (request.kind === "websocket") return noSockets;
      const environment = { request, principal: request.principal, params: request.params };
      const execution = executionOf(request);
      const asked = Object.assign(toRequest(request), { context: { ...environment }, waitUntil: execution.waitUntil });
      return andThen(call(asked, environment, execution), fromResponse);
    },
    describe: () => ({ kind: "fetch", name }),
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
  try {
    return new Request(urlOf(request), init);
  } catch (error) {
    throw new GatewayError("GW_FETCH_REQUEST", 400, "this app cannot be asked this request", { cause: error });
  }
}

function urlOf(request: HttpRequest): string {
  const { scheme, query } = request;
  const path = request.path === "*" ? "*" : rawPath(request);
  const url = `${scheme}://${authorityOf(request)}${path.startsWith("/") ? "" : "/"}${path}`;
  // The URL parser takes a backslash for a slash, which no guard has seen (R-M16), and bytes for Latin-1 chars.
  return (query === "" ? url : `${url}?${query}`).replace(/[^\u0021-\u007e]|\\/g, encodeByte);
}

function authorityOf({ headers, server }: HttpRequest): string {
  const host = headers.get("host");
  if (host !== null && host !== "") return host;
  if (!("host" in server)) return "localhost";
  return `${server.host.includes(":") ? `[${server.host}]` : server.host}:${server.port}`;
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
    props: {},
  };
}

function fromResponse(response: Response): HttpResponse {
  if (!isResponse(response)) {
    throw new GatewayError("GW_FETCH_RESPONSE", 500, `fetch must give a Response, found ${typeof response}`);
  }
  const { status, body } = response;
  if (status < 200) throw new GatewayError("GW_FETCH_RESPONSE", 500, `a Response with status ${status} cannot be sent`);
  const headers = withoutHopByHop(HeaderList.from(response.headers as Iterable<[string, string]>));
  if (body === null) return { kind: "response", status, headers, body: null };
  const chunks = new StreamChunks(body);
  return { kind: "response", status, headers, body: chunks, close: () => chunks.cancel() };
}

/** Frameworks hand out look-alikes of `Response`, so its class does not matter. */
function isResponse(value: unknown): value is Response {
  const { status, headers } = (value ?? {}) as Partial<Response>;
  return typeof status === "number" && typeof headers?.get === "function";
}

/** A stream's chunks. Its own iterator would cancel it only after the next chunk has come. */
class StreamChunks implements AsyncIterable<Uint8Array> {
  readonly #stream: ReadableStream<Uint8Array>;
  #reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  #isDone = false;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#stream = stream;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    const reader = this.#stream.getReader();
    this.#reader = reader;
    return {
      next: async () => {
        const { done, value } = await reader.read();
        if (!done) return { done, value };
        this.#isDone = true;
        return END;
      },
      return: async () => {
        await this.cancel();
        return END;
      },
    };
  }

  /** Lets go of the stream, read or not; a stream that has failed has nothing left to let go of. */
  async cancel(): Promise<void> {
    if (this.#isDone) return;
    this.#isDone = true;
    await (this.#reader ?? this.#stream).cancel().catch(() => {});
  }
}

const END: IteratorResult<Uint8Array> = { done: true, value: undefined };
