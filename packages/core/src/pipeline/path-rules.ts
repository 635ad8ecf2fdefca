// From → to tables of paths, as `rewrite` and `redirects` take them.
import { toBytes } from "../bytes/byte-string.ts";
import { GatewayError } from "../model/errors.ts";

/**
 * Paths and what they become, as text: `{ "/old": "/new", "/blog/*": "/articles/*" }`.
 *
 * A key is a whole path, or ends in `/*` for everything below it; `*` in the
 * value stands for that rest. Exact keys count before `/*` keys, and of those
 * the longest.
 */
export type PathRules = Readonly<Record<string, string>>;

/** A rule that a path met. */
export interface RuleMatch {
  readonly to: string;
  /** What `*` stands for: decoded bytes without leading slash; `null` for an exact rule. */
  readonly rest: string | null;
}

/**
 * Reads a table once; the function it gives finds the rule for a path (decoded bytes), or `null`.
 *
 * @throws GatewayError `GW_PATH_RULE` for a key that is no path, or a value with `*` whose key has none.
 */
export function readPathRules(rules: PathRules): (path: string) => RuleMatch | null {
  const exact = new Map<string, RuleMatch>();
  const below: { prefix: string; to: string }[] = [];
  for (const [from, to] of Object.entries(rules)) {
    if (!from.startsWith("/")) throw badRule(from, to, "a path starts with /");
    if (/\*./.test(from) || /[^/]\*/.test(from)) throw badRule(from, to, "* stands at the end only, after a slash");
    if (from.endsWith("*")) below.push({ prefix: toBytes(from.slice(0, -1)), to });
    else if (to.includes("*")) throw badRule(from, to, "* stands for the rest of a path that ends in /*");
    else exact.set(toBytes(from), { to, rest: null });
  }
  below.sort((a, b) => b.prefix.length - a.prefix.length);
  return (path) => {
    const found = exact.get(path);
    if (found !== undefined) return found;
    for (const { prefix, to } of below) if (path.startsWith(prefix)) return { to, rest: path.slice(prefix.length) };
    return null;
  };
}

/** The error for a rule that cannot be. */
export function badRule(from: string, to: string, why: string): GatewayError {
  return new GatewayError("GW_PATH_RULE", 500, `rule ${JSON.stringify(from)} → ${JSON.stringify(to)}: ${why}`);
}

/** Chars of a rest that cannot stand in the value of a query as they are. */
export const NOT_QUERY_VALUE: RegExp = /[^A-Za-z0-9\-._~/]/g;
