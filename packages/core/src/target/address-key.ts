// What counts as one client, for everything that is limited per client.
import type { Address } from "../model/address.ts";
import { parseIp } from "./ip-address.ts";

/**
 * The key that limits count a client under, however its address is spelled (R-M14).
 *
 * An IPv6 address counts as its /64, which is what one customer is given;
 * an IPv4 address mapped into IPv6 counts as the IPv4 address. Clients without an address share one key.
 */
export function addressKey(client: Address | null): string {
  if (client === null || !("host" in client)) return "local";
  const groups = parseIp(client.host);
  if (groups === null) return client.host.toLowerCase();
  const [high = 0, low = 0] = groups.slice(6);
  const isIpv4 = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  if (isIpv4) return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(":")}::/64`;
}
