// Where a key stands in a configuration file. Pure.

/**
 * The line of a key, from 1 on; `null` if it cannot be told: of several places the least indented one counts, and two such
 * are one too many.
 */
export function lineOfKey(text: string, key: string): number | null {
  const pattern = new RegExp(`^(\\s*)(?:.*[{,(]\\s*)?["']?${key.replace(/\$/g, "\\$")}["']?\\s*(?::|\\(|,|$)`);
  const found = text.split("\n").flatMap((line, at) => {
    const match = /^\s*(?:\/\/|\*)/.test(line) ? null : pattern.exec(line);
    return match === null ? [] : [{ line: at + 1, indent: (match[1] as string).length }];
  });
  const least = Math.min(...found.map(({ indent }) => indent));
  const candidates = found.filter(({ indent }) => indent === least);
  return candidates.length === 1 ? (candidates[0]?.line ?? null) : null;
}
