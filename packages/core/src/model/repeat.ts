// How a repeated header field folds into one value.

/**
 * The separator that joins repeated lines of a field into one value, or `null` if they must stay apart.
 *
 * `, ` for every field (RFC 9110 §5.3) but `Cookie`, which joins with `; `
 * (RFC 9113 §8.2.3), and `Set-Cookie`, whose values contain commas.
 *
 * @param lowerName field name in lower case
 */
export function repeatSeparator(lowerName: string): ", " | "; " | null {
  if (lowerName === "cookie") return "; ";
  return lowerName === "set-cookie" ? null : ", ";
}
