// Which pages may open a socket: the Origin, compared whole (R-H14).
import { type Address, GatewayError } from "@gw/core";

/** What an opening says of where it comes from and goes to. */
export interface Opening {
  /** The Origin field; `null` if there is none: no browser. */
  readonly origin: string | null;
  readonly scheme: "http" | "https";
  readonly server: Address;
}

/** Whether a socket may be opened from there. */
export type AllowedOrigin = (opening: Opening) => boolean;

/**
 * Makes the test for origins. Clients without an Origin are no browsers and carry nobody's cookies by accident: they pass.
 *
 * @param allowed origins as browsers write them; undefined: the host the socket is opened to, with the same scheme
 * @throws GatewayError `GW_HTTP_OPTION` for an entry that is no origin.
 */
export function originTest(allowed?: readonly string[]): AllowedOrigin {
  if (allowed === undefined)
    return ({ origin, scheme, server }) => origin === null || isSameHost(origin, scheme, server);
  if (allowed.includes("*")) return () => true;
  const exact = new Set(allowed.map(originOf));
  return ({ origin }) => origin === null || exact.has(origin);
}

function isSameHost(origin: string, scheme: "http" | "https", server: Address): boolean {
  if (!("host" in server)) return false;
  const host = server.host.includes(":") ? `[${server.host}]` : server.host;
  const port = server.port === (scheme === "https" ? 443 : 80) ? "" : `:${server.port}`;
  return origin.toLowerCase() === `${scheme}://${host}${port}`;
}

function originOf(entry: string): string {
  const url = URL.canParse(entry) ? new URL(entry) : null;
  if (url !== null && entry.replace(/\/$/, "").toLowerCase() === url.origin) return url.origin;
  throw new GatewayError(
    "GW_HTTP_OPTION",
    500,
    `webSocket.allowedOrigins: expected an origin such as "https://www.example.com", found ${JSON.stringify(entry)}`,
  );
}
