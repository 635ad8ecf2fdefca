// Host and port: the Host field, the authority of a target (RFC 9110 §7.2).
import { GatewayError } from "../model/errors.ts";

/** A host and a port. */
export interface Authority {
  /** Lower case, without a trailing dot; an IPv6 address without its brackets. */
  readonly host: string;
  /** The default port of the scheme if none was given. */
  readonly port: number;
}

const AUTHORITY = /^(?:([A-Za-z0-9_.-]+)|\[([0-9A-Fa-f:.]+)\])(?::([0-9]{0,5}))?$/;

/**
 * Reads `host`, `host:port` or `[v6]:port`.
 *
 * Narrower than RFC 3986: letters, digits, `-`, `.` and `_` only, since hosts end up in URLs that apps write.
 *
 * @throws GatewayError `GW_BAD_AUTHORITY` (400)
 */
export function parseAuthority(value: string, scheme: "http" | "https"): Authority {
  const match = AUTHORITY.exec(value);
  const host = (match?.[1] ?? match?.[2] ?? "").toLowerCase().replace(/\.$/, "");
  const port = match?.[3] ? Number(match[3]) : scheme === "https" ? 443 : 80;
  if (host === "" || port === 0 || port > 65_535) {
    throw new GatewayError(
      "GW_BAD_AUTHORITY",
      400,
      `expected host or host:port, found ${JSON.stringify(value.slice(0, 80))}`,
    );
  }
  return { host, port };
}
