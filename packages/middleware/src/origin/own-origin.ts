// Whether a request comes from a page of this site: Fetch Metadata first, then the exact Origin (R-M10).
import type { RequestHead } from "@gw/core";

/** What the request tells of the page that sent it. */
export type RequestOrigin = "same" | "cross" | "unknown";

/**
 * Where a request was started.
 *
 * `"unknown"`: it has neither field, as from clients that are no browsers;
 * every current browser sends `Origin` with a POST.
 *
 * @param trusted further origins that count as this site, such as `https://www.example.com`
 */
export function requestOrigin(request: RequestHead, trusted: readonly string[] = []): RequestOrigin {
  const { headers, scheme } = request;
  const origin = headers.get("origin");
  if (origin !== null && trusted.includes(origin)) return "same";
  const site = headers.get("sec-fetch-site");
  // "none": typed or bookmarked. "same-site" is another host of the domain, and not trusted.
  if (site !== null) return site === "same-origin" || site === "none" ? "same" : "cross";
  if (origin === null) return "unknown";
  const own = originOf(origin);
  const host = headers.get("host");
  if (host !== null && own === originOf(`${scheme}://${host}`)) return "same";
  // Behind a proxy that changes Host, the name that the client used is the server's.
  return own === serverOrigin(request) ? "same" : "cross";
}

function serverOrigin({ scheme, server }: RequestHead): string | symbol {
  if (!("host" in server)) return Symbol("no host");
  return originOf(`${scheme}://${server.host.includes(":") ? `[${server.host}]` : server.host}:${server.port}`);
}

// "null" (a sandboxed or privacy-conscious page) parses to nothing and is never equal.
function originOf(url: string): string | symbol {
  try {
    const { origin } = new URL(url);
    return origin === "null" ? Symbol("opaque") : origin;
  } catch {
    return Symbol("no URL");
  }
}
