// Fields that concern one connection only and must not cross a gateway (RFC 9110 §7.6.1).
import type { HeaderList } from "../model/headers.ts";

const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Fields that stay whatever `Connection` says: without them the message would be another one. */
const NEVER_LISTED: ReadonlySet<string> = new Set(["host", "content-length", "content-type"]);

/** Whether a field concerns one connection only. @param lowerName field name in lower case */
export function isHopByHop(lowerName: string): boolean {
  return HOP_BY_HOP.has(lowerName);
}

/**
 * The fields that may go on to the next hop: without the hop-by-hop ones and without those that `Connection` lists.
 *
 * Write fields of your own after this step: a peer may list any name. Gives back the same list if nothing had to go.
 */
export function withoutHopByHop(headers: HeaderList): HeaderList {
  const listed = connectionOptions(headers);
  return headers.filter((name) => {
    const lower = name.toLowerCase();
    return !HOP_BY_HOP.has(lower) && !listed.includes(lower);
  });
}

function connectionOptions(headers: HeaderList): string[] {
  const value = headers.get("connection");
  if (value === null) return [];
  const names = value.split(",").map((option) => option.trim().toLowerCase());
  return names.filter((name) => name !== "" && !NEVER_LISTED.has(name));
}
