// CGI variables → request: for a CGI program and a FastCGI responder. The inverse of write.ts.
import { toText } from "../bytes/byte-string.ts";
import { parseContentLength } from "../headers/content-length.ts";
import { scrubIdentity } from "../headers/identity.ts";
import type { Address } from "../model/address.ts";
import { GatewayError } from "../model/errors.ts";
import { HeaderList } from "../model/headers.ts";
import type { HttpRequest } from "../model/request.ts";
import { encodePath } from "../target/raw.ts";
import { headerNameOf } from "./names.ts";

/** How to read the variables. */
export interface ReadVariablesOptions {
  /** Whether the front server's REMOTE_USER and AUTH_TYPE become the principal. @default false */
  trustRemoteUser?: boolean;
  /** Further identity headers to remove. @default none */
  identityHeaders?: readonly string[];
  /** The mount, where the front server's SCRIPT_NAME is not it: nginx sends the whole path as SCRIPT_NAME. @default SCRIPT_NAME */
  mount?: string;
}

/** All of a request that variables can tell; the carrier adds the rest. */
export interface VariablesHead extends Omit<HttpRequest, "body" | "signal" | "exchange" | "state"> {
  /** CONTENT_LENGTH in bytes; `null` if it was not given. */
  readonly contentLength: number | null;
}

/**
 * Reads a request from its variables (byte strings).
 *
 * @throws GatewayError `GW_BAD_VARIABLES` (400) without REQUEST_METHOD, `GW_CONTENT_LENGTH` (400), `GW_BAD_TARGET` (400).
 */
export function readVariables(
  variables: ReadonlyMap<string, string>,
  options: ReadVariablesOptions = {},
): VariablesHead {
  const method = variables.get("REQUEST_METHOD");
  if (method === undefined) throw new GatewayError("GW_BAD_VARIABLES", 400, "REQUEST_METHOD is missing");
  const mount = variables.get("SCRIPT_NAME") ?? "";
  const path = variables.get("PATH_INFO") ?? "";
  const query = variables.get("QUERY_STRING") ?? "";
  const flat: string[] = [];
  const params = new Map<string, string>();
  for (const [name, value] of variables) {
    const header = headerNameOf(name);
    if (header !== null) flat.push(header, value);
    else if (!name.startsWith("HTTP_")) params.set(name, value);
  }
  const user = options.trustRemoteUser ? variables.get("REMOTE_USER") : undefined;
  const length = variables.get("CONTENT_LENGTH");
  return {
    kind: "http",
    method,
    scheme: variables.get("HTTPS") === "on" ? "https" : "http",
    target: variables.get("REQUEST_URI") ?? encodePath(mount + path) + (query === "" ? "" : `?${query}`),
    mount,
    path,
    query,
    protocol: variables.get("SERVER_PROTOCOL") ?? "HTTP/1.0",
    headers: scrubIdentity(HeaderList.fromWire(flat), options.identityHeaders),
    client: clientOf(variables),
    server: { host: variables.get("SERVER_NAME") ?? "localhost", port: Number(variables.get("SERVER_PORT") ?? 80) },
    tls: null,
    principal: user
      ? { user: toText(user), type: toText(variables.get("AUTH_TYPE") ?? ""), groups: [], claims: {} }
      : null,
    params,
    contentLength: length ? parseContentLength(length) : null,
  };
}

function clientOf(variables: ReadonlyMap<string, string>): Address | null {
  const host = variables.get("REMOTE_ADDR");
  return host ? { host, port: Number(variables.get("REMOTE_PORT") ?? 0) } : null;
}
