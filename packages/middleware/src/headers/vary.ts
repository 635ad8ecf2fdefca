// Vary, each name once (RFC 9110 §12.5.5).
import type { HeaderList } from "@gw/core";

/** Headers whose Vary names these fields as well. */
export function withVary(headers: HeaderList, ...names: readonly string[]): HeaderList {
  const given = headers.get("vary");
  if (given === null) return headers.append("Vary", names.join(", "));
  const known = new Set(given.split(",").map((name) => name.trim().toLowerCase()));
  if (known.has("*")) return headers;
  const missing = names.filter((name) => !known.has(name.toLowerCase()));
  return missing.length === 0 ? headers : headers.with("Vary", [given, ...missing].join(", "));
}
