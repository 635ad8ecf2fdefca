// Scope → request: the other direction, for handlers under an ASGI server.
import {
  type Address,
  bytesToByteString,
  encodePath,
  HeaderList,
  type Principal,
  type RequestHead,
  scrubIdentity,
  splitMount,
  toBytes,
} from "@gw/core";
import { readPairs } from "./header-pairs.ts";
import type { HttpScope, WebSocketScope } from "./scopes.ts";
import { tlsInfo } from "./tls.ts";

/** All of a request that a scope can tell. */
export type ScopeHead = Omit<RequestHead, "body" | "signal" | "exchange" | "state">;

/**
 * Reads a request from its scope. The server's word on the user (`gw.principal`) becomes the principal; identity
 * headers are removed, as by every carrier (R-H18).
 *
 * @throws GatewayError `GW_ASGI_EVENT` for headers that are no byte pairs
 */
export function readScope(scope: HttpScope | WebSocketScope): ScopeHead {
  const mount = toBytes(scope.root_path ?? "").replace(/\/$/, "");
  const full = toBytes(scope.path);
  const query = bytesToByteString(scope.query_string ?? new Uint8Array(0));
  const raw = scope.raw_path ? bytesToByteString(scope.raw_path) : encodePath(full);
  const isSecure = scope.scheme === "https" || scope.scheme === "wss";
  const { tls } = scope.extensions ?? {};
  return {
    method: scope.type === "http" ? scope.method : "GET",
    scheme: isSecure ? "https" : "http",
    target: query === "" ? raw : `${raw}?${query}`,
    mount,
    // Some servers leave the mount out of `path`: then all of it is the rest.
    path: splitMount(full, mount) ?? full,
    query,
    protocol: scope.http_version === "2" ? "HTTP/2.0" : `HTTP/${scope.http_version ?? "1.1"}`,
    headers: scrubIdentity(HeaderList.fromWire(readPairs(scope.headers, scope.type))),
    client: addressOf(scope.client),
    server: addressOf(scope.server) ?? { host: "localhost", port: isSecure ? 443 : 80 },
    tls: tls === undefined ? null : tlsInfo(tls),
    principal: principalOf(scope),
    params: new Map(),
  };
}

function addressOf(pair: HttpScope["server"] | undefined): Address | null {
  if (pair === null || pair === undefined) return null;
  const [host, port] = pair;
  return port === null ? { path: host } : { host, port };
}

function principalOf({ extensions }: HttpScope | WebSocketScope): Principal | null {
  return extensions?.["gw.principal"] ?? null;
}
