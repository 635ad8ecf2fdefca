// From http to https, to the same place.
import { encodePath, type GatewayRequest, layer, type Middleware, parseAuthority, rawPath, redirect } from "@gw/core";
import { refusal } from "./pages/refusal.ts";

/** Settings of `httpsRedirect`. */
export interface HttpsRedirectOptions {
  /** Port of the https site. @default 443 */
  port?: number;
  /** 308 keeps the method; 301, 302 and 307 are taken too. @default 308 */
  status?: 301 | 302 | 307 | 308;
  /** Host to go to, without a port. @default the one that the client named: put `trustedHost` outside */
  host?: string;
}

/**
 * Redirects http requests and sockets to the https address of the same path and query.
 *
 * The scheme is what the carrier or `proxyHeaders` found out. To leave some paths alone:
 * `except("/.well-known/acme-challenge", httpsRedirect())`.
 */
export function httpsRedirect({ port = 443, status = 308, host }: HttpsRedirectOptions = {}): Middleware {
  const noHost = refusal(400);
  return layer({
    name: "httpsRedirect",
    onRequest(request) {
      if (request.scheme === "https") return request;
      const name = host ?? hostOf(request);
      return name === null ? noHost : redirect(httpsUrl(request, name, port), status);
    },
  });
}

/** The https URL of a request, percent-encoded. */
export function httpsUrl(request: GatewayRequest, host: string, port = 443): string {
  const { mount, query } = request;
  const bracketed = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  const authority = port === 443 ? bracketed : `${bracketed}:${port}`;
  const path = encodePath(mount) + rawPath(request) || "/";
  const rest = `${path === "*" ? "/" : path}${query === "" ? "" : `?${query}`}`;
  return `https://${authority}${rest.replace(/[^\u0021-\u007e]/g, encodeByte)}`;
}

function encodeByte(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

function hostOf({ headers, server, scheme }: GatewayRequest): string | null {
  const field = headers.get("host");
  if (field === null) return "host" in server ? server.host : null;
  try {
    return parseAuthority(field, scheme).host;
  } catch {
    return null;
  }
}
