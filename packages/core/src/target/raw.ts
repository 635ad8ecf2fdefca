// The path and query in other forms: raw, percent-encoded, text.
import { toText } from "../bytes/byte-string.ts";
import type { RequestHead } from "../model/request.ts";

/** The raw (percent-encoded) rest of the path under the mount: as sent where possible, else `path` encoded. */
export function rawPath(request: Pick<RequestHead, "target" | "mount" | "path">): string {
  return encodePath(request.path);
}

/** Decoded bytes → percent-encoded path (RFC 3986 §3.3); `/` stays. */
export function encodePath(bytes: string): string {
  return bytes.replace(
    /[^A-Za-z0-9\-._~!$&'()*+,;=:@/]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

/** The path under the mount as text (UTF-8). */
export function pathText(request: Pick<RequestHead, "path">): string {
  return toText(request.path);
}

/** The query as text, still percent-encoded: what `new URLSearchParams()` takes. */
export function queryText(request: Pick<RequestHead, "query">): string {
  return toText(request.query);
}
