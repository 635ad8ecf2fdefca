// The path and query in other forms: raw, percent-encoded, text.
import { toText } from "../bytes/byte-string.ts";
import type { RequestHead } from "../model/request.ts";
import { rawPathAndQuery } from "./parse.ts";
import { decodePercent } from "./path.ts";

/**
 * The raw (percent-encoded) rest of the path under the mount.
 *
 * As sent, with its `%2F`, as long as that still says the same as `mount` + `path`; else `path` encoded: once a layer
 * rewrote it, or where dot segments and repeated slashes were resolved.
 */
export function rawPath({ target, mount, path }: Pick<RequestHead, "target" | "mount" | "path">): string {
  const [raw = ""] = rawPathAndQuery(target).split("?", 1);
  if (decodePercent(raw) !== mount + path) return encodePath(path);
  let at = 0;
  for (let left = mount.length; left > 0; left--) at += raw.charCodeAt(at) === PERCENT ? 3 : 1;
  return raw.slice(at);
}

const PERCENT = 0x25;

/** Decoded bytes → percent-encoded path (RFC 3986 §3.3). `/` stays; so does all that a segment may hold as it is. */
export function encodePath(bytes: string): string {
  return bytes.replace(NOT_PATH, encodeByte);
}

const NOT_PATH = /[^A-Za-z0-9\-._~!$&'()*+,;=:@/]/g;

/** One char of a byte string as `%XX`. */
export function encodeByte(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

/** The path under the mount as text: its bytes read as UTF-8. */
export function pathText(request: Pick<RequestHead, "path">): string {
  return toText(request.path);
}

/** The query as text, still percent-encoded: what `new URLSearchParams(…)` takes. */
export function queryText(request: Pick<RequestHead, "query">): string {
  return toText(request.query);
}
