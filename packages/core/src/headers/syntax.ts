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
