// Request → connection scope (ASGI HTTP & WebSocket message format 2.5).
import {
  type Address,
  byteStringToBytes,
  encodePath,
  type HttpRequest,
  mountVariables,
  type RequestHead,
  rawPath,
  toText,
  type WebSocketRequest,
} from "@gw/core";
import { ScopeHeaders } from "./header-pairs.ts";
import type { AsgiVersions, EmptyExtension, Extensions, HttpScope, WebSocketScope } from "./scopes.ts";
import { tlsExtension } from "./tls.ts";

/** What all scopes of an app have in common. */
export interface ScopeSettings {
  /** The lifespan's namespace; each scope gets a copy. */
  readonly state: Readonly<Record<string, unknown>>;
  /** Whether `http.response.debug` is offered. */
  readonly hasDebug: boolean;
}

const VERSIONS: AsgiVersions = Object.freeze({ version: "3.0", spec_version: "2.5" });
const OFFERED: EmptyExtension = Object.freeze({});
const NO_BYTES: Uint8Array = new Uint8Array(0);

/** The scope of a request. */
export function httpScope(request: HttpRequest, settings: ScopeSettings): HttpScope {
  const { method, mount, query } = request;
  return {
    type: "http",
    asgi: VERSIONS,
    http_version: httpVersion(request.protocol),
    method: method.toUpperCase(),
    scheme: request.scheme,
    path: toText(mount + request.path),
    raw_path: byteStringToBytes(rawFullPath(request)),
    query_string: query === "" ? NO_BYTES : byteStringToBytes(query),
    root_path: mount === "" ? "" : toText(mount),
    headers: new ScopeHeaders(request.headers),
    client: clientPair(request.client),
    server: serverPair(request.server),
    state: { ...settings.state },
    extensions: httpExtensions(request, settings),
  };
}

/** The scope of a socket. */
export function webSocketScope(request: WebSocketRequest, settings: ScopeSettings): WebSocketScope {
  const { mount, query } = request;
  return {
    type: "websocket",
    asgi: VERSIONS,
    http_version: httpVersion(request.protocol) === "2" ? "2" : "1.1",
    scheme: request.scheme === "https" ? "wss" : "ws",
    path: toText(mount + request.path),
    raw_path: byteStringToBytes(rawFullPath(request)),
    query_string: query === "" ? NO_BYTES : byteStringToBytes(query),
    root_path: mount === "" ? "" : toText(mount),
    headers: new ScopeHeaders(request.headers),
    client: clientPair(request.client),
    server: serverPair(request.server),
    subprotocols: [...request.subprotocols],
    state: { ...settings.state },
    extensions: withFacts({ "websocket.http.response": OFFERED, "gw.signal": request.signal }, request),
  };
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] };

function httpExtensions(request: HttpRequest, { hasDebug }: ScopeSettings): Extensions {
  const extensions: Writable<Extensions> = {
    "http.response.trailers": OFFERED,
    "http.response.pathsend": OFFERED,
    "http.response.zerocopysend": OFFERED,
    "gw.signal": request.signal,
  };
  if (request.exchange.inform !== undefined) extensions["http.response.early_hint"] = OFFERED;
  if (hasDebug) extensions["http.response.debug"] = OFFERED;
  return withFacts(extensions, request);
}

/** Adds what is known of the connection and the user; absent keys stay absent. */
function withFacts(extensions: Writable<Extensions>, request: RequestHead): Extensions {
  const { tls, principal } = request;
  if (tls !== null) extensions.tls = tlsExtension(tls);
  if (principal !== null) extensions["gw.principal"] = { ...principal };
  const variables = mountVariables(request);
  if (hasKeys(variables)) extensions["gw.variables"] = textOf(variables);
  return extensions;
}

function textOf(variables: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, toText(value)]));
}

function hasKeys(record: object): boolean {
  for (const _ in record) return true;
  return false;
}

/** The path as received, as long as no layer has rewritten it; then it is the new one, percent-encoded. */
function rawFullPath(request: RequestHead): string {
  if (request.mount === "" && request.target === request.path) return request.path;
  return request.mount === "" ? rawPath(request) : encodePath(request.mount) + rawPath(request);
}

function httpVersion(protocol: string): HttpScope["http_version"] {
  if (protocol === "HTTP/1.1") return "1.1";
  if (protocol.startsWith("HTTP/2")) return "2";
  return protocol === "HTTP/1.0" ? "1.0" : "1.1";
}

function clientPair(address: Address | null): HttpScope["client"] {
  return address === null || !("host" in address) ? null : [address.host, address.port];
}

function serverPair(address: Address): HttpScope["server"] {
  return "host" in address ? [address.host, address.port] : [address.path, null];
}
