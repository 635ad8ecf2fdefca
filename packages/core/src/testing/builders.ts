// Requests without a carrier: what unit tests of layers and handlers are called with.

import { memoryBody } from "../body/buffer.ts";
import { incomingBody } from "../body/incoming.ts";
import { encodeText } from "../bytes/byte-string.ts";
import type { Address, TlsInfo } from "../model/address.ts";
import { emptyBody, type RequestBody } from "../model/body.ts";
import type { Exchange } from "../model/exchange.ts";
import { type HeaderInit, HeaderList } from "../model/headers.ts";
import type { Principal } from "../model/principal.ts";
import type { HttpRequest, RequestHead, WebSocketRequest } from "../model/request.ts";
import { emptyState, type RequestState } from "../model/state.ts";
import { createContext } from "../pipeline/context.ts";
import { OpenExchange } from "../pipeline/exchange.ts";
import { Runtime } from "../pipeline/runtime.ts";

/** A request body as tests write it: text (sent as UTF-8), bytes, chunks (no length is announced), or a model body. */
export type TestBody = string | Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array> | RequestBody;

/** Fields of a test request; everything has a default. */
export interface TestRequestInit {
  /** @default "GET" */
  method?: string;
  /** Header fields. `Host` is added unless given. */
  headers?: HeaderInit;
  /** @default no body */
  body?: TestBody;
  /** @default "http" */
  scheme?: "http" | "https";
  /** Where the app is mounted; the path of the target is then below it. @default "" */
  mount?: string;
  /** @default "HTTP/1.1" */
  protocol?: string;
  /** @default { host: "127.0.0.1", port: 50000 } */
  client?: Address | null;
  /** @default { host: "localhost", port: 80 } */
  server?: Address;
  /** @default null */
  tls?: TlsInfo | null;
  /** @default null */
  principal?: Principal | null;
  params?: Readonly<Record<string, string>>;
  state?: RequestState;
  /** Fires when the peer goes. @default never */
  signal?: AbortSignal;
  /** @default an exchange of its own */
  exchange?: Exchange;
  /** Most body bytes. @default 10_000_000 */
  maxBodyBytes?: number;
}

/** Fields of a test socket opening. */
export interface TestSocketInit extends Omit<TestRequestInit, "method" | "body"> {
  /** @default none */
  subprotocols?: readonly string[];
}

/**
 * A request for a target such as `/path?query`.
 *
 * Its exchange stands alone: `dispatch` answers 404 and it never ends. Use
 * `request(app, …)` to run a whole app.
 */
export function testRequest(target = "/", init: TestRequestInit = {}): HttpRequest {
  return { ...headOf(target, init, init.method ?? "GET"), kind: "http" };
}

/** A WebSocket opening for a target such as `/chat`. */
export function testSocket(target = "/", init: TestSocketInit = {}): WebSocketRequest {
  return { ...headOf(target, init, "GET"), body: emptyBody, kind: "websocket", subprotocols: init.subprotocols ?? [] };
}

function headOf(target: string, init: TestRequestInit, method: string): RequestHead {
  const { scheme = "http", mount = "", protocol = "HTTP/1.1", principal = null, tls = null } = init;
  const server = init.server ?? { host: "localhost", port: scheme === "https" ? 443 : 80 };
  const exchange = init.exchange ?? aloneExchange(init.maxBodyBytes);
  const [path = "", query = ""] = target.split(/\?(.*)/s, 2);
  const headers = HeaderList.from(init.headers ?? {});
  return {
    method,
    scheme,
    target,
    mount,
    path: decodePath(path).slice(mount.length),
    query,
    protocol,
    headers:
      headers.has("host") || !("host" in server) ? headers : HeaderList.from([["Host", server.host], ...headers]),
    body: toBody(init.body, exchange),
    client: init.client === undefined ? { host: "127.0.0.1", port: 50_000 } : init.client,
    server,
    tls,
    principal,
    params: new Map(Object.entries(init.params ?? {})),
    state: init.state ?? emptyState,
    signal: init.signal ?? new AbortController().signal,
    exchange,
  };
}

function aloneExchange(maxBodyBytes?: number): Exchange {
  const runtime = new Runtime(() => ({ kind: "response", status: 404, headers: HeaderList.empty, body: null }), {
    context: createContext(),
    ...(maxBodyBytes !== undefined && { maxBodyBytes }),
  });
  return new OpenExchange(runtime);
}

function toBody(body: TestBody | undefined, exchange: Exchange): RequestBody {
  if (body === undefined) return emptyBody;
  if (typeof body === "object" && "replayable" in body) return body;
  const known = typeof body === "string" ? encodeText(body) : body instanceof Uint8Array ? body : null;
  if (known !== null) return incomingBody({ length: known.length, exchange, open: () => memoryBody(known) });
  const chunks = body as Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  return incomingBody({
    length: null,
    exchange,
    async *open() {
      yield* chunks;
    },
  });
}

function decodePath(path: string): string {
  return path.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
