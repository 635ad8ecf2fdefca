// Which content codings a client takes (RFC 9110 §12.5.3).

/**
 * The codings among `offered` that the client accepts, best first.
 *
 * By its weights; equal ones in our order. Without the field none: `identity`
 * is always safe. `*` stands for every coding that is not named.
 *
 * @param field value of Accept-Encoding
 * @param offered lower case, in our order of preference
 */
export function acceptedEncodings<Coding extends string>(field: string | null, offered: readonly Coding[]): Coding[] {
  if (field === null) return [];
  const weights = parseWeights(field);
  return offered
    .map((coding) => ({ coding, weight: weights.get(coding) ?? weights.get("*") ?? 0 }))
    .filter(({ weight }) => weight > 0)
    .sort((one, other) => other.weight - one.weight)
    .map(({ coding }) => coding);
}

function parseWeights(field: string): Map<string, number> {
  const weights = new Map<string, number>();
  for (const part of field.split(",")) {
    const [name = "", ...parameters] = part.split(";");
    const coding = name.trim().toLowerCase();
    if (coding === "") continue;
    weights.set(coding === "x-gzip" ? "gzip" : coding, weightOf(parameters)); // §8.4.1.3
  }
  return weights;
}

function weightOf(parameters: readonly string[]): number {
  for (const parameter of parameters) {
    const value = /^\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*$/i.exec(parameter)?.[1];
    if (value !== undefined) return Math.min(1, Number(value));
    if (/^\s*q\s*=/i.test(parameter)) return 0; // not a weight: better not
  }
  return 1;
}
