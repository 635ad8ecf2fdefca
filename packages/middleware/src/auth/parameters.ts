// Parameters of credentials and challenges: name=token or name="quoted" (RFC 9110 §11.2).

const PARAMETER =
  /\s*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)\s*=\s*(?:"((?:[^"\\\u0000-\u0008\u000a-\u001f\u007f]|\\[\t\u0020-\u007e\u0080-\u00ff])*)"|([!#$%&'*+\-.^_`|~0-9A-Za-z]+))\s*(,|$)/y;

/** The parameters by lower-case name, quotes taken off; `null` for text that is none, or a name that is there twice. */
export function parseParameters(text: string): Map<string, string> | null {
  const found = new Map<string, string>();
  PARAMETER.lastIndex = 0;
  while (PARAMETER.lastIndex < text.length) {
    const match = PARAMETER.exec(text);
    if (match === null) return null;
    const name = (match[1] as string).toLowerCase();
    if (found.has(name)) return null;
    found.set(name, match[2]?.replace(/\\(.)/g, "$1") ?? (match[3] as string));
  }
  return found;
}

/** A text as a quoted string. */
export function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
