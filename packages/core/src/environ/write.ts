// Request → CGI variables (RFC 3875 §4.1): for CGI programs, FastCGI backends and the WSGI environ alike.
import { toBytes } from "../bytes/byte-string.ts";
import type { Address } from "../model/address.ts";
import { GatewayError } from "../model/errors.ts";
import type { HeaderList } from "../model/headers.ts";
import { repeatSeparator } from "../model/repeat.ts";
import type { GatewayRequest } from "../model/request.ts";
import { isProtectedVariable } from "../pipeline/variables.ts";
import { parseAuthority } from "../target/authority.ts";
import { rawPathAndQuery } from "../target/parse.ts";
import { encodeByte } from "../target/raw.ts";
import { foldToVariable, variableName } from "./names.ts";

/** How to write the variables. */
export interface WriteVariablesOptions {
  /** Who reads them: `"wsgi"` gets no GATEWAY_INTERFACE, `"cgi"` no Authorization. */
  interface: "cgi" | "fastcgi" | "wsgi";
  /** SERVER_SOFTWARE: `"gw/1.0.0"`. */
  software: string;
  /** SCRIPT_NAME of a script that lies deeper than the mount, decoded bytes. @default the mount */
  scriptName?: string;
  /** PATH_INFO, decoded bytes. @default what follows the script name in mount + path; `""` if that does not start with it */
  pathInfo?: string;
  /** Whether HTTP_AUTHORIZATION is written. Risk: programs see passwords and tokens (R-C6). @default false for "cgi", else true */
  authorization?: boolean;
  /** Names, in lower case, of fields with other chars than letters, digits and `-` that are written all the same (R-C3). @default none */
  oddHeaders?: readonly string[];
  /** What `mountVariables(request)` gave; byte strings. @default none */
  variables?: Readonly<Record<string, string>>;
}

/**
 * The variables of a request, as byte strings: in a new object, or in the one given.
 *
 * SCRIPT_NAME + PATH_INFO is the decoded path; QUERY_STRING is always there; CONTENT_LENGTH only if the length is known;
 * REMOTE_USER and AUTH_TYPE come from the principal alone; repeated fields are joined (R-C1, R-C6). docs/environ.md has
 * the whole table. What only some backends want (SCRIPT_FILENAME, DOCUMENT_ROOT, PATH_TRANSLATED) is the caller's to add.
 *
 * @throws GatewayError `GW_VARIABLE` (500) if `variables` has a name that only the gateway writes (R-F10).
 */
export function writeVariables(
  request: GatewayRequest,
  options: WriteVariablesOptions,
  variables: Record<string, string> = emptyVariables(),
): Record<string, string> {
  const { client, principal, headers, body } = request;
  const scriptName = options.scriptName ?? request.mount;
  variables.SERVER_SOFTWARE = options.software;
  variables.SERVER_NAME = serverName(request);
  variables.SERVER_PORT = serverPort(request);
  variables.SERVER_PROTOCOL = request.protocol;
  variables.REQUEST_METHOD = request.method;
  variables.REQUEST_SCHEME = request.scheme;
  variables.REQUEST_URI = requestUri(request.target);
  variables.SCRIPT_NAME = scriptName;
  variables.PATH_INFO = options.pathInfo ?? pathInfo(request, scriptName);
  variables.QUERY_STRING = request.query;
  variables.REMOTE_ADDR = client !== null && "host" in client ? client.host : "";
  if (options.interface !== "wsgi") variables.GATEWAY_INTERFACE = "CGI/1.1";
  if (client !== null && "host" in client && client.port > 0) variables.REMOTE_PORT = String(client.port);
  if (request.scheme === "https") variables.HTTPS = "on";
  // A zero is only repeated, never made up: without a body there is no CONTENT_LENGTH (§4.1.2).
  if (body.length !== null && (body.length > 0 || headers.has("content-length"))) {
    variables.CONTENT_LENGTH = String(body.length);
  }
  if (principal !== null) {
    variables.REMOTE_USER = toBytes(principal.user);
    variables.AUTH_TYPE = toBytes(principal.type);
  }
  writeHeaders(variables, headers, options.authorization ?? options.interface !== "cgi");
  if (options.oddHeaders !== undefined) writeOddHeaders(variables, headers, options.oddHeaders);
  if (options.variables !== undefined) writeMountVariables(variables, options.variables);
  return variables;
}

/**
 * The variables that are always there, still empty: what `writeVariables` fills in.
 *
 * One literal with constant names: objects made this way share a layout, which makes all that follows cheap. Who has
 * constant names to add makes a literal that begins with these, and passes it.
 */
function emptyVariables(): Record<string, string> {
  return {
    SERVER_SOFTWARE: "",
    SERVER_NAME: "",
    SERVER_PORT: "",
    SERVER_PROTOCOL: "",
    REQUEST_METHOD: "",
    REQUEST_SCHEME: "",
    REQUEST_URI: "",
    SCRIPT_NAME: "",
    PATH_INFO: "",
    QUERY_STRING: "",
    REMOTE_ADDR: "",
  };
}

function writeHeaders(variables: Record<string, string>, headers: HeaderList, authorization: boolean): void {
  const flat = headers.toFlat();
  for (let at = 0; at < flat.length; at += 2) {
    const name = flat[at] as string;
    const variable = variableName(name);
    if (variable === null || variable === "CONTENT_LENGTH" || variable === "HTTP_PROXY_AUTHORIZATION") continue;
    if (variable === "HTTP_AUTHORIZATION" && !authorization) continue;
    const before = variables[variable];
    variables[variable] = before === undefined ? (flat[at + 1] as string) : join(name, before, flat[at + 1] as string);
  }
}

/** Fields that an operator has allowed by name. A regular field with the same variable wins, so none is shadowed (R-C3). */
function writeOddHeaders(variables: Record<string, string>, headers: HeaderList, allowed: readonly string[]): void {
  for (const name of allowed) {
    const variable = foldToVariable(name);
    const value = headers.get(name);
    if (variable === null || value === null || variableName(name) !== null || NEVER_ODD.has(variable)) continue;
    variables[variable] ??= value;
  }
}

const NEVER_ODD: ReadonlySet<string> = new Set([
  "CONTENT_LENGTH",
  "CONTENT_TYPE",
  "HTTP_AUTHORIZATION",
  "HTTP_PROXY_AUTHORIZATION",
]);

function writeMountVariables(variables: Record<string, string>, added: Readonly<Record<string, string>>): void {
  for (const name in added) {
    if (isProtectedVariable(name)) {
      throw new GatewayError("GW_VARIABLE", 500, `a mount may not set ${JSON.stringify(name)}`);
    }
    variables[name] = added[name] as string;
  }
}

function join(name: string, before: string, value: string): string {
  // Set-Cookie is no request field; joined like the others, it can do no harm.
  return before + (repeatSeparator(name.toLowerCase()) ?? ", ") + value;
}

function pathInfo({ mount, path }: GatewayRequest, scriptName: string): string {
  if (path === "*") return ""; // OPTIONS * has no path (§4.1.5: empty, or starts with "/")
  if (scriptName === mount) return path;
  const full = mount + path;
  return full.startsWith(scriptName) ? full.slice(scriptName.length) : "";
}

/** Path and query as sent (the absolute form loses its authority, as in Apache); bytes above 7F percent-encoded, so that it is ASCII. */
function requestUri(target: string): string {
  const uri = rawPathAndQuery(target);
  return ASCII.test(uri) ? uri : uri.replace(/[\u0080-\u00ff]/g, encodeByte);
}

const ASCII = /^[\u0000-\u007f]*$/;

function serverName({ server, headers, scheme }: GatewayRequest): string {
  if ("host" in server) return server.host.includes(":") ? `[${server.host}]` : server.host;
  return hostField(headers, scheme)?.host ?? "localhost";
}

function serverPort({ server, headers, scheme }: GatewayRequest): string {
  if ("host" in server) return String(server.port);
  return String(hostField(headers, scheme)?.port ?? (scheme === "https" ? 443 : 80));
}

/** On a unix socket only the Host field can tell where the request was for. */
function hostField(headers: HeaderList, scheme: "http" | "https"): Exclude<Address, { path: string }> | null {
  const value = headers.get("host");
  try {
    return value === null ? null : parseAuthority(value, scheme);
  } catch {
    return null;
  }
}
