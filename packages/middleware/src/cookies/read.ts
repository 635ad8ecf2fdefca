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
  const found = findFrom(header, name, 0);
  return found === null ? null : found.value;
}

/** The raw values of all cookies of this name, in their order: of which only one may be ours. */
export function findCookies(header: string | null, name: string): string[] {
  const values: string[] = [];
  for (let found = findFrom(header ?? "", name, 0); found !== null; found = findFrom(header ?? "", name, found.end)) {
    values.push(found.value);
  }
  return values;
}

function findFrom(header: string, name: string, from: number): { value: string; end: number } | null {
  for (let at = header.indexOf(name, from); at !== -1; at = header.indexOf(name, at + 1)) {
    if (!isPairStart(header, at)) continue;
    const equals = skipBlank(header, at + name.length);
    if (header[equals] !== "=") continue;
    const semicolon = header.indexOf(";", equals);
    const end = semicolon === -1 ? header.length : semicolon;
    return { value: header.slice(equals + 1, end).trim(), end };
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
