// What every request goes through, whatever HTTP version carried it: target, host, forwarding and identity headers.
import {
  type Address,
  type ForwardedTrust,
  GatewayError,
  HeaderList,
  parseTarget,
  peerList,
  readForwarded,
  scrubIdentity,
} from "@gw/core";
import {
  type FrontIdentity,
  type FrontIdentityOptions,
  noParams,
  readFrontIdentity,
  resolveFrontIdentity,
} from "./front-identity.ts";
import type { Peer } from "./peer.ts";

/** Settings of a server that concern the reading of requests. */
export interface RequestRules {
  /** Whose forwarding headers count (R-H17). */
  readonly trust: ForwardedTrust;
  /** Further identity headers to remove (R-H18). */
  readonly identityHeaders: readonly string[];
  /** Whose identity headers become params; `null`: nobody's. */
  readonly front: FrontIdentity | null;
  /** Whether a host is answered; `null`: every one. */
  readonly isAllowedHost: ((host: string) => boolean) | null;
}

/** What those settings are made from. */
export interface RuleOptions {
  readonly trustedProxies?: readonly string[];
  readonly forwardedFields?: readonly string[];
  readonly identityHeaders?: readonly string[];
  readonly identityFrom?: FrontIdentityOptions;
  readonly allowedHosts?: readonly string[];
}

/** The rules that options ask for. @throws GatewayError `GW_PEER_LIST` */
export function resolveRules({
  trustedProxies = [],
  forwardedFields,
  identityHeaders = [],
  identityFrom,
  allowedHosts,
}: RuleOptions): RequestRules {
  const front = identityFrom === undefined ? null : resolveFrontIdentity(identityFrom);
  return {
    trust: { proxies: peerList(trustedProxies), ...(forwardedFields !== undefined && { fields: forwardedFields }) },
    identityHeaders:
      front === null ? identityHeaders : [...identityHeaders, ...front.variables.map(([, field]) => field)],
    front,
    isAllowedHost: allowedHosts === undefined ? null : hostTest(allowedHosts),
  };
}

/** A request as the wire gave it. */
export interface WireRequest {
  readonly method: string;
  readonly target: string;
  /** Host or `:authority`; `null` if there is none. */
  readonly authority: string | null;
  /** Field lines as read, `[name, value, …]`; they become the request's. */
  readonly flat: readonly string[];
}

/** What a request says once the rules have been applied. */
export interface RequestFacts {
  readonly target: string;
  /** `""`, or where another server has mounted us. */
  readonly mount: string;
  readonly path: string;
  readonly query: string;
  readonly scheme: "http" | "https";
  readonly headers: HeaderList;
  readonly client: Address | null;
  readonly server: Address;
  /** What a front server said beside the request. */
  readonly params: ReadonlyMap<string, string>;
}

/**
 * Applies the rules to a request.
 *
 * @throws GatewayError `GW_BAD_TARGET`, `GW_BAD_AUTHORITY`, `GW_HTTP_HOST` (400), `GW_HTTP_MISDIRECTED` (421).
 */
export function applyRules(wire: WireRequest, peer: Peer, rules: RequestRules): RequestFacts {
  const { path, query, authority: named } = parseTarget(wire.target, wire.method);
  if (named !== null && !sameAuthority(named, wire.authority)) throw twoHosts();
  const read = HeaderList.fromWire(wire.flat);
  const params = rules.front === null ? noParams : readFrontIdentity(read, peer.client, rules.front);
  const scrubbed = scrubIdentity(read, rules.identityHeaders);
  const { headers, client, scheme: toldScheme, authority } = readForwarded(scrubbed, peer.client, rules.trust);
  const scheme = toldScheme ?? peer.scheme;
  const server = peer.serverAddress(authority ?? wire.authority, scheme);
  if (rules.isAllowedHost !== null) checkHost(server, rules.isAllowedHost);
  return { target: wire.target, mount: "", path, query, scheme, headers, client, server, params };
}

/** Whether the absolute form of a target names what the Host field names (RFC 9112 §3.2.2: one must win; we want one). */
function sameAuthority(named: string, host: string | null): boolean {
  return host === null || named.toLowerCase() === host.toLowerCase();
}

function checkHost(server: Address, isAllowed: (host: string) => boolean): void {
  if ("host" in server && isAllowed(server.host)) return;
  throw new GatewayError("GW_HTTP_MISDIRECTED", 421, "this host is not served here");
}

function twoHosts(): GatewayError {
  return new GatewayError("GW_HTTP_HOST", 400, "the request-target and the Host field name different hosts");
}

/** A test for host names: exact ones, and `*.example.com` for the names below example.com. */
function hostTest(names: readonly string[]): (host: string) => boolean {
  const exact = new Set(names.filter((name) => !name.startsWith("*.")).map((name) => name.toLowerCase()));
  const below = names.filter((name) => name.startsWith("*.")).map((name) => name.slice(1).toLowerCase());
  return (host) => exact.has(host) || below.some((suffix) => host.endsWith(suffix) && host.length > suffix.length);
}
