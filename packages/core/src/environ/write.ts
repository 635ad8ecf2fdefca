// Request → CGI variables (RFC 3875 §4.1), for CGI programs, FastCGI backends and the WSGI environ alike.
import { toBytes } from "../bytes/byte-string.ts";
import { GatewayError } from "../model/errors.ts";
import { repeatSeparator } from "../model/repeat.ts";
import type { GatewayRequest } from "../model/request.ts";
import { isProtectedVariable } from "../pipeline/variables.ts";
import { variableName } from "./names.ts";

/** How to write the variables. */
export interface WriteVariablesOptions {
  /** Who reads them. It decides about GATEWAY_INTERFACE and Authorization. */
  interface: "cgi" | "fastcgi" | "wsgi";
  /** SERVER_SOFTWARE: `"gw/1.0.0"`. */
  software: string;
  /** SCRIPT_NAME of a script that lies deeper than the mount, decoded bytes. @default the mount */
  scriptName?: string;
  /** PATH_INFO. @default what follows the script name in mount + path */
  pathInfo?: string;
  /** Whether the program gets HTTP_AUTHORIZATION (R-C6). @default false for cgi, else true */
  authorization?: boolean;
  /** Header names with other chars than letters, digits and `-` that may pass (R-C3). @default none */
  allowHeaders?: readonly string[];
  /** What `mountVariables(request)` gave, byte strings. */
  variables?: Readonly<Record<string, string>>;
}

/**
 * The variables of a request, as byte strings.
 *
 * @throws GatewayError `GW_VARIABLE` (500) if `variables` names one that only the gateway writes.
 */
export function writeVariables(request: GatewayRequest, options: WriteVariablesOptions): Record<string, string> {
  const { scriptName = request.mount, authorization = options.interface !== "cgi" } = options;
  const full = request.mount + request.path;
  const pathInfo = options.pathInfo ?? (full.startsWith(scriptName) ? full.slice(scriptName.length) : "");
  const { server, client, principal, body } = request;
  const variables: Record<string, string> = {
    SERVER_SOFTWARE: options.software,
    SERVER_PROTOCOL: request.protocol,
    SERVER_NAME: "host" in server ? server.host : "localhost",
    SERVER_PORT: "host" in server ? String(server.port) : request.scheme === "https" ? "443" : "80",
    REQUEST_METHOD: request.method,
    REQUEST_SCHEME: request.scheme,
    REQUEST_URI: request.target,
    SCRIPT_NAME: scriptName,
    PATH_INFO: pathInfo === "*" ? "" : pathInfo,
    QUERY_STRING: request.query,
    REMOTE_ADDR: client !== null && "host" in client ? client.host : "",
  };
  if (options.interface !== "wsgi") variables.GATEWAY_INTERFACE = "CGI/1.1";
  if (client !== null && "host" in client && client.port > 0) variables.REMOTE_PORT = String(client.port);
  if (request.scheme === "https") variables.HTTPS = "on";
  if (body.length) variables.CONTENT_LENGTH = String(body.length);
  if (principal !== null) {
    variables.REMOTE_USER = toBytes(principal.user);
    variables.AUTH_TYPE = toBytes(principal.type);
  }
  for (const [name, value] of request.headers) {
    const variable = variableName(name);
    if (variable === null || variable === "CONTENT_LENGTH" || variable === "HTTP_PROXY_AUTHORIZATION") continue;
    if (variable === "HTTP_AUTHORIZATION" && !authorization) continue;
    const before = variables[variable];
    variables[variable] = before === undefined ? value : before + (repeatSeparator(name.toLowerCase()) ?? ", ") + value;
  }
  for (const [name, value] of Object.entries(options.variables ?? {})) {
    if (isProtectedVariable(name)) {
      throw new GatewayError("GW_VARIABLE", 500, `a mount may not set ${JSON.stringify(name)}`);
    }
    variables[name] = value;
  }
  return variables;
}
