// Which form of an error the client wants (RFC 9110 §12.5.1).

/** A form of an error page. */
export type ErrorPageKind = "html" | "json" | "text";

const TYPES: readonly (readonly [kind: ErrorPageKind, ...types: string[]])[] = [
  ["html", "text/html", "application/xhtml+xml"],
  ["json", "application/problem+json", "application/json"],
  ["text", "text/plain"],
];

/**
 * The form a client prefers by its `Accept`.
 *
 * A type that is named wins over one that only a wildcard allows: a browser
 * gets HTML, a client that wants JSON gets JSON, and `curl` plain text.
 */
export function errorPageKind(accept: string | null): ErrorPageKind {
  const named = weightsOf(accept ?? "");
  let best: { kind: ErrorPageKind; weight: number } = { kind: "text", weight: 0 };
  for (const [kind, ...types] of TYPES) {
    const weight = Math.max(...types.map((type) => named.get(type) ?? 0));
    if (weight > best.weight) best = { kind, weight };
  }
  return best.kind;
}

function weightsOf(accept: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const item of accept.split(",", MAX_ITEMS)) {
    const [type = "", ...parameters] = item.split(";").map((part) => part.trim().toLowerCase());
    const q = parameters.find((parameter) => parameter.startsWith("q="));
    const weight = q === undefined ? 1 : Number(q.slice(2));
    weights.set(type, Number.isFinite(weight) ? weight : 0);
  }
  return weights;
}

const MAX_ITEMS = 40;
