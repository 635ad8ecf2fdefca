// Host and port: the Host field, the authority of a target (RFC 9110 §7.2, RFC 3986 §3.2).
import { GatewayError } from "../model/errors.ts";
import { parseIp } from "./ip-address.ts";

/** A host and a port. */
export interface Authority {
  /** Lower case, without a trailing dot; an IPv6 address without its brackets. */
  readonly host: string;
  /** The default port of the scheme if none was given. */
  readonly port: number;
}

/**
 * Reads `host`, `host:port` or `[address]:port`.
 *
 * Narrower than RFC 3986: a name has letters, digits, `-`, `_` and single dots only, since apps write it into URLs.
 *
 * @throws GatewayError `GW_BAD_AUTHORITY` (400)
 */
export function parseAuthority(value: string, scheme: "http" | "https"): Authority {
  const known = remembered[scheme];
  let authority = known.get(value);
  if (authority === undefined) {
    authority = readAuthority(value, scheme);
    if (known.size >= MAX_REMEMBERED) known.clear();
    known.set(value, authority);
  }
  return authority;
}

// Nearly all requests name one of few hosts; bounded, since clients choose the names.
const MAX_REMEMBERED = 256;
const remembered = { http: new Map<string, Authority>(), https: new Map<string, Authority>() };

const NAME = /^([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)\.?(?::([0-9]{0,5}))?$/;
const BRACKETS = /^\[([0-9A-Fa-f:.]+)\](?::([0-9]{0,5}))?$/;
const MAX_NAME = 255; // RFC 1035 §2.3.4

function readAuthority(value: string, scheme: "http" | "https"): Authority {
  const name = NAME.exec(value);
  const match = name ?? BRACKETS.exec(value);
  const host = (match?.[1] ?? "").toLowerCase();
  const port = match?.[2] ? Number(match[2]) : scheme === "https" ? 443 : 80;
  const isHost = name === null ? host.includes(":") && parseIp(host) !== null : host.length <= MAX_NAME;
  if (!isHost || port === 0 || port > 65_535) {
    throw new GatewayError(
      "GW_BAD_AUTHORITY",
      400,
      `expected host or host:port, found ${JSON.stringify(value.slice(0, 80))}`,
    );
  }
  return { host, port };
}
