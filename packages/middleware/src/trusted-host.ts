// Only requests for this site's hosts: apps build links, mails and cache keys from the Host field.
import { GatewayError, type GatewayRequest, layer, type Middleware, parseAuthority } from "@gw/core";
import { refusal } from "./pages/refusal.ts";

/** Settings of `trustedHost`. */
export interface TrustedHostOptions {
  /** Names without scheme and port: `example.com`, `*.example.com` (every name below), `[::1]`. */
  hosts: readonly string[];
}

/**
 * Answers 421 to requests and sockets for other hosts, and 400 to a malformed Host.
 *
 * Every name that a request gives must be listed: its Host field, and what the carrier took for the server's name.
 *
 * @throws GatewayError `GW_TRUSTED_HOST` for an entry that is no host.
 */
export function trustedHost({ hosts }: TrustedHostOptions): Middleware {
  const isListed = hostTest(hosts);
  const misdirected = refusal(421);
  const malformed = refusal(400);
  return layer({
    name: "trustedHost",
    onRequest(request) {
      const names = namesOf(request);
      if (names === null) return malformed;
      return names.length > 0 && names.every(isListed) ? request : misdirected;
    },
  });
}

/** The hosts that a request names, lower case, without ports; `null` if one is malformed. */
function namesOf({ headers, server, scheme }: GatewayRequest): string[] | null {
  const names = "host" in server ? [server.host.toLowerCase()] : [];
  const field = headers.getAll("host");
  if (field.length > 1) return null;
  if (field.length === 0) return names;
  try {
    const { host } = parseAuthority(field[0] as string, scheme);
    return host === names[0] ? names : [...names, host];
  } catch {
    return null;
  }
}

/** A test for hosts: exact ones, and `*.example.com` for the names below, but not `example.com` itself. */
function hostTest(entries: readonly string[]): (host: string) => boolean {
  const exact = new Set<string>();
  const below: string[] = [];
  for (const entry of entries) {
    const isWildcard = entry.startsWith("*.");
    const host = hostOf(isWildcard ? entry.slice(2) : entry, entry);
    if (isWildcard) below.push(`.${host}`);
    else exact.add(host);
  }
  return (host) => exact.has(host) || below.some((suffix) => host.length > suffix.length && host.endsWith(suffix));
}

function hostOf(text: string, entry: string): string {
  try {
    if (!/:\d*$/.test(text.replace(/^\[.*\]$/, ""))) return parseAuthority(text, "http").host;
  } catch {
    // Said below.
  }
  throw new GatewayError(
    "GW_TRUSTED_HOST",
    500,
    `expected a host such as example.com or *.example.com, without scheme and port, found ${JSON.stringify(entry)}`,
  );
}
