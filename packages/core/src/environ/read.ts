// CGI variables → request: for a CGI program, a FastCGI responder, an app under a WSGI server. The inverse of write.ts.
import { toText } from "../bytes/byte-string.ts";
import { parseContentLength } from "../headers/content-length.ts";
import { scrubIdentity } from "../headers/identity.ts";
import { isFieldValue, isToken } from "../headers/syntax.ts";
import type { Address, TlsInfo } from "../model/address.ts";
import { GatewayError } from "../model/errors.ts";
import { HeaderList } from "../model/headers.ts";
import type { Principal } from "../model/principal.ts";
import type { HttpRequest } from "../model/request.ts";
import { parseAuthority } from "../target/authority.ts";
import { plainIp } from "../target/ip-address.ts";
import { splitMount } from "../target/mount.ts";
import { resolveSegments } from "../target/path.ts";
import { encodePath } from "../target/raw.ts";
import { headerNameOf } from "./names.ts";

/** How to read the variables. */
export interface ReadVariablesOptions {
  /** Whether the front server's REMOTE_USER and AUTH_TYPE become the principal. Risk: it must set or clear them itself on every request. @default false */
  trustRemoteUser?: boolean;
  /** Names of further identity headers to remove (R-H18). @default none */
  identityHeaders?: readonly string[];
  /** The mount, decoded bytes, where the front server's SCRIPT_NAME is not it: nginx sends the whole path there. @default SCRIPT_NAME */
  mount?: string;
}

/** All of a request that variables can tell; the carrier adds the rest. */
export interface VariablesHead extends Omit<HttpRequest, "body" | "signal" | "exchange" | "state"> {
  /** CONTENT_LENGTH in bytes; `null` if it was not given: there is no body, or its end is that of the stream. */
  readonly contentLength: number | null;
}

type Variables = ReadonlyMap<string, string>;

/**
 * Reads a request from its variables (byte strings).
 *
 * What has no place in the request goes to `params`: parameters of the front server, SSL_*, and REMOTE_USER and AUTH_TYPE
 * for a layer to judge. HTTP_PROXY and identity headers are dropped (R-C2, R-H18). Without REQUEST_URI the target is
 * made of SCRIPT_NAME, PATH_INFO and QUERY_STRING.
 *
 * @throws GatewayError `GW_BAD_VARIABLES` (400) without a method, outside of `mount`, or for a header value with a control character; `GW_CONTENT_LENGTH` (400);
 *   `GW_BAD_TARGET` (400) for a path that climbs above the mount or has NUL.
 */
export function readVariables(variables: Variables, options: ReadVariablesOptions = {}): VariablesHead {
  const method = variables.get("REQUEST_METHOD") ?? "";
  if (!isToken(method)) throw badVariables(`REQUEST_METHOD must be a method, found ${quote(method)}`);
  const requestUri = variables.get("REQUEST_URI") ?? "";
  const { mount, path } = readPath(variables, options.mount, method === "OPTIONS" && requestUri === "*");
  const query = variables.get("QUERY_STRING") ?? queryOf(requestUri);
  const scheme = readScheme(variables);
  const rest = readRest(variables);
  const headers = scrubIdentity(rest.headers, options.identityHeaders);
  const length = variables.get("CONTENT_LENGTH") ?? "";
  return {
    kind: "http",
    method,
    scheme,
    target: IS_TARGET.test(requestUri) ? requestUri : encodePath(mount + path) + (query === "" ? "" : `?${query}`),
    mount,
    path,
    query,
    protocol: readProtocol(variables.get("SERVER_PROTOCOL") ?? ""),
    headers,
    client: readClient(variables),
    server: readServer(variables, headers, scheme),
    tls: readTls(variables),
    principal: options.trustRemoteUser ? readPrincipal(variables) : null,
    params: rest.params,
    contentLength: length === "" ? null : parseContentLength(length),
  };
}

const IS_TARGET = /^(?:\/|https?:\/\/|\*$)[\u0021-\u007e\u0080-\u00ff]*$/i;

function readPath(variables: Variables, given: string | undefined, isServer: boolean): { mount: string; path: string } {
  if (isServer) return { mount: "", path: "*" };
  const scriptName = absolute(variables.get("SCRIPT_NAME") ?? "");
  const pathInfo = absolute(variables.get("PATH_INFO") ?? "");
  if (given === undefined) {
    return { mount: resolveSegments(scriptName).replace(/\/$/, ""), path: resolveSegments(pathInfo) };
  }
  const full = resolveSegments(scriptName + pathInfo);
  const path = splitMount(full, given);
  if (path === null) throw badVariables(`the path ${quote(full)} is not under the mount ${quote(given)}`);
  return { mount: given, path };
}

/** RFC 3875 §4.1.5, §4.1.13: empty, or starting with a slash. */
function absolute(path: string): string {
  return path === "" || path.startsWith("/") ? path : `/${path}`;
}

function queryOf(target: string): string {
  const mark = target.indexOf("?");
  return mark === -1 ? "" : target.slice(mark + 1);
}

function readScheme(variables: Variables): "http" | "https" {
  // Apache and nginx say "on", IIS says "off" where others say nothing, some say "1".
  const https = variables.get("HTTPS")?.toLowerCase();
  if (https === "on" || https === "1") return "https";
  return variables.get("REQUEST_SCHEME") === "https" ? "https" : "http";
}

function readProtocol(value: string): string {
  if (/^HTTP\/[0-9]\.[0-9]$/.test(value)) return value;
  return /^HTTP\/[0-9]$/.test(value) ? `${value}.0` : "HTTP/1.0";
}

/** Variables that the request itself holds. */
const IN_REQUEST: ReadonlySet<string> = new Set([
  "CONTENT_LENGTH",
  "CONTENT_TYPE",
  "GATEWAY_INTERFACE",
  "HTTPS",
  "PATH_INFO",
  "QUERY_STRING",
  "REMOTE_ADDR",
  "REMOTE_PORT",
  "REQUEST_METHOD",
  "REQUEST_SCHEME",
  "REQUEST_URI",
  "SCRIPT_NAME",
  "SERVER_NAME",
  "SERVER_PORT",
  "SERVER_PROTOCOL",
]);

/** Header fields of the client, and what the front server says in variables of its own. */
function readRest(variables: Variables): { headers: HeaderList; params: Map<string, string> } {
  const flat: string[] = [];
  const params = new Map<string, string>();
  // An empty CONTENT_TYPE or CONTENT_LENGTH is a missing one (§4.1.2, §4.1.3).
  const type = variables.get("CONTENT_TYPE");
  if (type) flat.push("Content-Type", headerValue("CONTENT_TYPE", type));
  const length = variables.get("CONTENT_LENGTH");
  if (length) flat.push("Content-Length", length);
  variables.forEach((value, variable) => {
    if (variable.startsWith("HTTP_")) {
      const name = headerNameOf(variable);
      if (name !== null) flat.push(name, headerValue(variable, value));
    } else if (!IN_REQUEST.has(variable)) params.set(variable, value);
  });
  return { headers: HeaderList.fromWire(flat), params };
}

/** Front servers refuse such lines, but whoever speaks to us need not be one: no app may write them on (R-H2). */
function headerValue(variable: string, value: string): string {
  if (!isFieldValue(value)) throw badVariables(`${variable} has a control character: ${quote(value)}`);
  return value;
}

function readClient(variables: Variables): Address | null {
  const host = variables.get("REMOTE_ADDR") ?? "";
  if (host === "") return null;
  if (host === "unix:") return { path: "" }; // nginx, of a client on a unix socket
  return { host: plainIp(host), port: readPort(variables.get("REMOTE_PORT")) ?? 0 };
}

function readServer(variables: Variables, headers: HeaderList, scheme: "http" | "https"): Address {
  const port = readPort(variables.get("SERVER_PORT")) ?? (scheme === "https" ? 443 : 80);
  // nginx sends its server_name, which may be empty or the catch-all "_".
  for (const value of [variables.get("SERVER_NAME"), headers.get("host")]) {
    if (!value || value === "_") continue;
    try {
      return { host: parseAuthority(BARE_IPV6.test(value) ? `[${value}]` : value, scheme).host, port };
    } catch {
      // A name that is none: the next one.
    }
  }
  return { host: "localhost", port };
}

const BARE_IPV6 = /^(?!\[).*:.*:/;

function readPort(value: string | undefined): number | null {
  const port = value !== undefined && /^[0-9]{1,5}$/.test(value) ? Number(value) : 0;
  return port > 0 && port < 65_536 ? port : null;
}

/** What Apache's mod_ssl and nginx configurations call it. Certificates stay in `params`. */
function readTls(variables: Variables): TlsInfo | null {
  const version = variables.get("SSL_PROTOCOL");
  if (!version) return null;
  return {
    version,
    cipher: variables.get("SSL_CIPHER") ?? "",
    serverName: variables.get("SSL_TLS_SNI") || null,
    peerCertificates: () => [],
  };
}

function readPrincipal(variables: Variables): Principal | null {
  const user = variables.get("REMOTE_USER");
  if (!user) return null;
  return { user: toText(user), type: toText(variables.get("AUTH_TYPE") ?? ""), groups: [], claims: {} };
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}

function badVariables(message: string): GatewayError {
  return new GatewayError("GW_BAD_VARIABLES", 400, message);
}
