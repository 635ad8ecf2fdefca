// The variables a web server makes of a request: written out by hand, so that our readers are checked against the specification.
import type { ClientRequest } from "./carrier.ts";

/** The variables of a request, byte strings (RFC 3875 §4.1). */
export function cgiVariables({ method = "GET", target = "/", headers = [], body }: ClientRequest): Map<string, string> {
  const [path, query = ""] = target.split(/\?(.*)/s) as [string, string?];
  const variables = new Map([
    ["GATEWAY_INTERFACE", "CGI/1.1"],
    ["REQUEST_METHOD", method],
    ["REQUEST_URI", target],
    ["SCRIPT_NAME", ""],
    ["PATH_INFO", path.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))],
    ["QUERY_STRING", query],
    ["SERVER_NAME", "localhost"],
    ["SERVER_PORT", "80"],
    ["SERVER_PROTOCOL", "HTTP/1.1"],
    ["SERVER_SOFTWARE", "test"],
    ["REMOTE_ADDR", "127.0.0.1"],
    ["HTTP_HOST", "localhost"],
  ]);
  if (body instanceof Uint8Array) variables.set("CONTENT_LENGTH", String(body.length));
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (lower === "content-type") variables.set("CONTENT_TYPE", value);
    // Web servers drop names that could shadow another as a variable (Apache since 2.4).
    if (lower === "content-type" || lower === "content-length" || !/^[a-z0-9-]+$/.test(lower)) continue;
    const variable = `HTTP_${lower.toUpperCase().replaceAll("-", "_")}`;
    const before = variables.get(variable);
    variables.set(variable, before === undefined ? value : `${before}${lower === "cookie" ? "; " : ", "}${value}`);
  }
  return variables;
}
