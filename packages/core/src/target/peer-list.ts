// A list of peers: addresses, networks, unix sockets.
import type { Address } from "../model/address.ts";

/** Says which addresses are on a list. */
export interface PeerList {
  /** The entries it was made from. */
  readonly entries: readonly string[];
  /** Whether an address is on the list; an unknown one never is. */
  includes(address: Address | null): boolean;
}

/**
 * Makes a list from addresses (`"127.0.0.1"`, `"::1"`), networks (`"10.0.0.0/8"`), `"unix"` for unix sockets and `"*"` for everybody.
 *
 * @throws GatewayError `GW_PEER_LIST` if an entry is none of these.
 */
export function peerList(entries: readonly string[]): PeerList {
  const set = new Set(entries);
  return {
    entries,
    includes: (address) => address !== null && (set.has("*") || ("host" in address && set.has(address.host))),
  };
}
