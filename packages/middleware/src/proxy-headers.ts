// The client, scheme and host that listed proxies report: X-Forwarded-* and Forwarded (R-H17).
import {
  type Address,
  type GatewayRequest,
  layer,
  type Middleware,
  parseAuthority,
  peerList,
  readForwarded,
} from "@gw/core";

/** Settings of `proxyHeaders`. */
export interface ProxyHeadersOptions {
  /** The proxies to believe: addresses, networks, `"unix"`. Fields of anybody else are removed. */
  proxies: readonly string[];
  /**
   * Fields that each of the proxies sets itself on every request, in lower case: `x-forwarded-for`, `-proto`, `-host`,
   * `-port`, `forwarded`. Risk: one that a proxy hands on unchanged is the client's word. @default ["x-forwarded-for", "x-forwarded-proto"]
   */
  fields?: readonly string[];
}

/**
 * Gives requests the `client`, `scheme` and `server` that listed proxies report; removes the fields of all others.
 *
 * For FastCGI, CGI and fetch carriers. The HTTP carrier does it before any layer: give it `trustedProxies`. Put the
 * layer outermost, so that limits, logs and redirects see the client.
 *
 * @throws GatewayError `GW_PEER_LIST` for a malformed entry.
 */
export function proxyHeaders({ proxies, fields }: ProxyHeadersOptions): Middleware {
  const trust = { proxies: peerList(proxies), ...(fields && { fields: fields.map((name) => name.toLowerCase()) }) };
  return layer({
    name: "proxyHeaders",
    oncePerExchange: true,
    onRequest(request) {
      const told = readForwarded(request.headers, request.client, trust);
      const { headers, client } = told;
      if (told.scheme === null && told.authority === null) {
        return headers === request.headers && client === request.client ? request : { ...request, headers, client };
      }
      const scheme = told.scheme ?? request.scheme;
      return { ...request, headers, client, scheme, server: serverOf(request, told.authority, scheme) };
    },
  });
}

/** Where the client sent its request, by the proxy's word; without one, the same host at the scheme's port. */
function serverOf(request: GatewayRequest, authority: string | null, scheme: "http" | "https"): Address {
  const named = authority ?? request.headers.get("host");
  if (named === null) return request.server;
  try {
    return parseAuthority(named, scheme);
  } catch {
    return request.server; // a Host that no carrier should have let pass
  }
}
