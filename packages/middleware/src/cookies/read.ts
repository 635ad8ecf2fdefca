// The Cookie field of a request, read as browsers write it (RFC 6265bis §5.8.3).
import { toText } from "@gw/core";
import { parseCookie } from "cookie";

/**
 * Every cookie of a `Cookie` field value, names as sent, values percent-decoded to text.
 *
 * Of a repeated name the first counts: browsers send the longest path first.
 * A Map, so no name (`__proto__`) can mean anything else.
 */
export function readCookies(header: string | null): ReadonlyMap<string, string> {
  return header === null ? NONE : new Map(Object.entries(parseCookie(header, { decode })) as [string, string][]);
}

const NONE: ReadonlyMap<string, string> = new Map();

function decode(raw: string): string {
  const text = toText(raw);
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // not ours: given as it came
  }
}

const SPACE = 0x20;
const TAB = 0x09;
const SEMICOLON = 0x3b;

/**
 * The raw value of one cookie, or `null`: like `readCookies(header).get(name)` without decoding, and without reading the others.
 *
 * For layers that look for their own cookie on every request.
 */
export function findCookie(header: string | null, name: string): string | null {
  if (header === null) return null;
  for (let at = header.indexOf(name); at !== -1; at = header.indexOf(name, at + 1)) {
    if (!isPairStart(header, at)) continue;
    const equals = skipBlank(header, at + name.length);
    if (header[equals] !== "=") continue;
    const end = header.indexOf(";", equals);
    return header.slice(equals + 1, end === -1 ? header.length : end).trim();
  }
  return null;
}

function isPairStart(header: string, at: number): boolean {
  for (let before = at - 1; before >= 0; before--) {
    const code = header.charCodeAt(before);
    if (code === SEMICOLON) return true;
    if (code !== SPACE && code !== TAB) return false;
  }
  return true;
}

function skipBlank(header: string, from: number): number {
  let at = from;
  while (header.charCodeAt(at) === SPACE || header.charCodeAt(at) === TAB) at++;
  return at;
}
