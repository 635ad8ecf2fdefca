// Only clients of some addresses, or none of some.
import { layer, type Middleware, peerList } from "@gw/core";
import { refusal } from "./pages/refusal.ts";

/** Settings of `ipRestriction`; entries as for `peerList`: addresses, networks such as `10.0.0.0/8`, `"unix"`, `"*"`. */
export interface IpRestrictionOptions {
  /** Who may pass. @default everybody whose address is known */
  allow?: readonly string[];
  /** Who may not, even if allowed. @default nobody */
  deny?: readonly string[];
}

/**
 * Answers 403 to clients that are denied, not allowed, or whose address is not known.
 *
 * The address is the carrier's, or the one that trusted proxies report; an IPv4 entry also means its IPv6-mapped form.
 *
 * @throws GatewayError `GW_PEER_LIST` for a malformed entry.
 */
export function ipRestriction({ allow = ["*"], deny = [] }: IpRestrictionOptions): Middleware {
  const allowed = peerList(allow);
  const denied = peerList(deny);
  const forbidden = refusal(403);
  return layer({
    name: "ipRestriction",
    onRequest: (request) =>
      allowed.includes(request.client) && !denied.includes(request.client) ? request : forbidden,
  });
}
