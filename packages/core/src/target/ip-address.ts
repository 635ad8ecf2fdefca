// IP addresses as numbers, to compare them with networks. Strict: what does not read one way only is no address.

/** An address as eight groups of 16 bits; IPv4 as `::ffff:a.b.c.d`, so that both spellings of a peer agree. */
export type IpGroups = readonly number[];

/** Reads an IPv4 or IPv6 address, without brackets; a zone (`%eth0`) is let pass. `null` if it is none. */
export function parseIp(text: string): IpGroups | null {
  const ipv4 = parseIpv4(text);
  if (ipv4 !== null) return [0, 0, 0, 0, 0, 0xffff, ...ipv4];
  const zone = text.indexOf("%");
  return parseIpv6(zone === -1 ? text : text.slice(0, zone));
}

/** The address in its usual spelling: IPv4 for the mapped form that dual-stack sockets report, else as it is. */
export function plainIp(text: string): string {
  const mapped = MAPPED.exec(text);
  return mapped !== null && parseIpv4(mapped[1] as string) !== null ? (mapped[1] as string) : text;
}

const MAPPED = /^::ffff:([0-9.]+)$/i;
const IPV4 = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;
const GROUP = /^[0-9a-f]{1,4}$/i;

function parseIpv4(text: string): [high: number, low: number] | null {
  const match = IPV4.exec(text);
  if (match === null) return null;
  const [a, b, c, d] = match.slice(1).map(Number) as [number, number, number, number];
  return Math.max(a, b, c, d) > 255 ? null : [a * 256 + b, c * 256 + d];
}

function parseIpv6(text: string): IpGroups | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0] as string, halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] as string, true) : [];
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  // "::" stands for one group of zeros at least.
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  return [...head, ...Array<number>(missing).fill(0), ...tail];
}

/** Groups separated by colons; the last one may be an IPv4 address if the text ends here. */
function parseGroups(text: string, endsHere: boolean): number[] | null {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    const ipv4 = endsHere && index === parts.length - 1 ? parseIpv4(part) : null;
    if (ipv4 !== null) groups.push(...ipv4);
    else if (GROUP.test(part)) groups.push(Number.parseInt(part, 16));
    else return null;
  }
  return groups;
}
