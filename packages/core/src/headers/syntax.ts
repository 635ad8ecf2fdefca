// What a field name and a field value may contain.

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FIELD_VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;

/** Whether this is a token: a legal field name or method (RFC 9110 §5.6.2). */
export function isToken(name: string): boolean {
  return TOKEN.test(name);
}

/**
 * Whether this can be written as a field value: no control bytes but tab, no char above U+00FF (RFC 9110 §5.5).
 *
 * Blanks at the ends are let pass: every reader drops them.
 */
export function isFieldValue(value: string): boolean {
  return FIELD_VALUE.test(value);
}

/**
 * The text from `start` on without the blanks around it: spaces and tabs, nothing else (RFC 9110 §5.6.3).
 *
 * No pattern: one that ends in `[ \t]+$` looks at a run of blanks inside the text once for each of them, which takes
 * seconds for a header of 64 kB.
 */
export function trimBlanks(text: string, start = 0): string {
  let from = start;
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
