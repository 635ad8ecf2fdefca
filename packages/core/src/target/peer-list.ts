// A list of peers: addresses, networks, unix sockets.
import type { Address } from "../model/address.ts";
import { GatewayError } from "../model/errors.ts";
import { type IpGroups, parseIp } from "./ip-address.ts";

/** Says which addresses are on a list. */
export interface PeerList {
  /** The entries it was made from. */
  readonly entries: readonly string[];
  /** Whether an address is on the list; one that is not known never is. */
  includes(address: Address | null): boolean;
}

/**
 * Makes a list from addresses (`"127.0.0.1"`, `"::1"`), networks (`"10.0.0.0/8"`, `"fd00::/8"`), `"unix"` for unix
 * sockets and `"*"` for everybody. An IPv4 entry also means its IPv6-mapped form.
 *
 * @throws GatewayError `GW_PEER_LIST` (500) for any other entry, a network with bits beyond its prefix among them.
 */
export function peerList(entries: readonly string[]): PeerList {
  const everybody = entries.includes("*");
  const unix = everybody || entries.includes("unix");
  const networks = entries.filter((entry) => entry !== "*" && entry !== "unix").map(parseNetwork);
  const known = new Map<string, boolean>();
  const includesHost = (host: string): boolean => {
    const found = known.get(host);
    if (found !== undefined) return found;
    const groups = parseIp(host);
    const listed = groups !== null && networks.some((network) => contains(network, groups));
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(host, listed);
    return listed;
  };
  return {
    entries: [...entries],
    includes: (address) => address !== null && ("path" in address ? unix : everybody || includesHost(address.host)),
  };
}

const MAX_KNOWN = 256;

interface Network {
  readonly groups: IpGroups;
  /** Length of the prefix, 0 to 128. */
  readonly bits: number;
}

function parseNetwork(entry: string): Network {
  const [address = "", prefix, ...more] = entry.split("/");
  const groups = parseIp(address);
  const isIpv4 = !address.includes(":");
  const size = isIpv4 ? 32 : 128;
  const length = prefix === undefined ? size : /^(0|[1-9]\d{0,2})$/.test(prefix) ? Number(prefix) : -1;
  if (groups === null || more.length > 0 || length < 0 || length > size) {
    throw badEntry(entry, 'expected an address, a network like "10.0.0.0/8", "unix" or "*"');
  }
  const bits = isIpv4 ? 96 + length : length;
  if (groups.some((group, index) => (group & ~maskOf(bits, index)) !== 0)) {
    throw badEntry(entry, "the address has bits set beyond the prefix; which network is meant?");
  }
  return { groups, bits };
}

function contains({ groups, bits }: Network, address: IpGroups): boolean {
  return groups.every((group, index) => group === ((address[index] as number) & maskOf(bits, index)));
}

/** The bits of the group at this index that belong to a prefix of this length. */
function maskOf(bits: number, index: number): number {
  const inGroup = Math.min(Math.max(bits - index * 16, 0), 16);
  return (0xffff << (16 - inGroup)) & 0xffff;
}

function badEntry(entry: string, why: string): GatewayError {
  return new GatewayError("GW_PEER_LIST", 500, `${JSON.stringify(entry)}: ${why}`);
}
