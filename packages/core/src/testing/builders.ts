// Requests without a carrier: what unit tests of layers and handlers are called with.

import { memoryBody } from "../body/buffer.ts";
import { incomingBody } from "../body/incoming.ts";
import { encodeText, toBytes } from "../bytes/byte-string.ts";
import { contentLength } from "../headers/content-length.ts";
import type { Address, TlsInfo } from "../model/address.ts";
import { emptyBody, type RequestBody } from "../model/body.ts";
import { type HeaderInit, HeaderList } from "../model/headers.ts";
import type { Principal } from "../model/principal.ts";
import type { Exchange, HttpRequest, RequestHead, WebSocketRequest } from "../model/request.ts";
import { emptyState, type RequestState } from "../model/state.ts";
import { createContext } from "../pipeline/context.ts";
import { OpenExchange } from "../pipeline/exchange.ts";
import { Runtime } from "../pipeline/runtime.ts";
import { splitMount } from "../target/mount.ts";
import { parseTarget } from "../target/parse.ts";
import { encodePath } from "../target/raw.ts";

/** A request body as tests write it: text (sent as UTF-8), bytes, chunks (no length is announced), or a model body. */
export type TestBody = string | Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array> | RequestBody;

/** Fields of a test request; everything has a default. */
export interface TestRequestInit {
  /** @default "GET" */
  method?: string;
  /** Header fields. `Host`, and `Content-Length` for a body of known length, are added unless given. */
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
 * A request for a target such as `/path?query`; chars above U+00FF are percent-encoded.
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
  const sent = wireTarget(target);
  const { path, query } = parseTarget(sent, method);
  const rest = splitMount(path, mount);
  if (rest === null) throw new TypeError(`the path of ${target} is not under the mount ${mount}`);
  const headers = headersOf(init, server);
  return {
    method,
    scheme,
    target: sent,
    mount,
    path: rest,
    query,
    protocol,
    headers,
    body: bodyOf(init.body, contentLength(headers), exchange),
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

/** What a client would send: chars beyond one byte are percent-encoded as UTF-8. */
function wireTarget(target: string): string {
  return target.replace(/[^\u0000-\u00ff]+/g, (part) => encodePath(toBytes(part)));
}

function headersOf({ headers: given, body }: TestRequestInit, server: Address): HeaderList {
  let headers = HeaderList.from(given ?? {});
  if (!headers.has("host") && "host" in server) headers = HeaderList.from([["Host", server.host], ...headers]);
  const bytes = bytesOf(body);
  return bytes === null || headers.has("content-length")
    ? headers
    : headers.append("Content-Length", String(bytes.length));
}

function aloneExchange(maxBodyBytes?: number): Exchange {
  const runtime = new Runtime(() => ({ kind: "response", status: 404, headers: HeaderList.empty, body: null }), {
    context: createContext(),
    ...(maxBodyBytes !== undefined && { maxBodyBytes }),
  });
  return new OpenExchange(runtime);
}

function bodyOf(body: TestBody | undefined, announced: number | null, exchange: Exchange): RequestBody {
  if (body === undefined) return emptyBody;
  if (typeof body === "object" && "replayable" in body) return body;
  const bytes = bytesOf(body);
  const chunks = bytes === null ? (body as Iterable<Uint8Array> | AsyncIterable<Uint8Array>) : memoryBody(bytes);
  return incomingBody({
    length: announced,
    exchange,
    async *open() {
      yield* chunks;
    },
  });
}

function bytesOf(body: TestBody | undefined): Uint8Array | null {
  if (typeof body === "string") return encodeText(body);
  return body instanceof Uint8Array ? body : null;
}
