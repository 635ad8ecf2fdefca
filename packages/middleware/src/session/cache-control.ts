// Answers that depend on a session are not for shared caches (R-M8).
import type { HeaderList } from "@gw/core";

/**
 * Headers under which no shared cache keeps the answer (RFC 9111 §5.2.2).
 *
 * Without a Cache-Control of the app: `no-store`. One that already says
 * `private` or `no-store` stays; any other keeps its ages but becomes private.
 */
export function notShared(headers: HeaderList): HeaderList {
  const given = headers.get("cache-control");
  if (given === null) return headers.append("Cache-Control", "no-store");
  if (/(^|[\s,])(no-store|private)\s*(,|$)/i.test(given)) return headers;
  const kept = given.split(",").filter((directive) => !/^\s*(public|s-maxage|private)\b|^\s*$/i.test(directive));
  return headers.with("Cache-Control", ["private", ...kept.map((directive) => directive.trim())].join(", "));
}
