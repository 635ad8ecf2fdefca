// One key per client address, however it is spelled (R-M14).
import { isIPv6 } from "node:net";
import type { Address } from "@gw/core";

/**
 * The key that limits count a client under.
 *
 * An IPv6 address counts as its /64, which is what one customer is given;
 * an IPv4 address mapped into IPv6 counts as the IPv4 address. Clients without an address share one key.
 */
export function addressKey(client: Address | null): string {
  if (client === null || !("host" in client)) return "local";
  const host = (client.host.split("%", 1)[0] as string).toLowerCase();
  if (!isIPv6(host)) return host;
  const mapped = /^::(?:ffff:)?(\d+\.\d+\.\d+\.\d+)$/.exec(host)?.[1];
  if (mapped !== undefined) return mapped;
  return `${hextets(host).slice(0, 4).join(":")}::/64`;
}

function hextets(host: string): string[] {
  const [head = "", tail] = host.split("::", 2);
  const before = words(head);
  const after = tail === undefined ? [] : words(tail);
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0");
  return [...before, ...(tail === undefined ? [] : zeros), ...after];
}

function words(part: string): string[] {
  if (part === "") return [];
  return part.split(":").flatMap((word) => {
    if (!word.includes(".")) return [Number.parseInt(word, 16).toString(16)];
    const [a = 0, b = 0, c = 0, d = 0] = word.split(".").map(Number);
    return [((a << 8) | b).toString(16), ((c << 8) | d).toString(16)];
  });
}
