// The request-target, read once for every layer and app (RFC 9112 §3.2; docs/decisions/0003-paths.md).
import { GatewayError } from "../model/errors.ts";
import { parseAuthority } from "./authority.ts";
import { normalizePath } from "./path.ts";

/** A request-target, taken apart. */
export interface ParsedTarget {
  /** `"origin"`: `/path?query`. `"absolute"`: with scheme and authority. `"asterisk"`: `*`, for OPTIONS only. */
  readonly form: "origin" | "absolute" | "asterisk";
  /** Decoded bytes, dot segments resolved, slashes merged; starts with `/`, or is `*` for the server as a whole. */
  readonly path: string;
  /** What follows the first `?`, not decoded; may be `""`. */
  readonly query: string;
  /** Host and port of the absolute form, as sent and well-formed; else `null`. */
  readonly authority: string | null;
  /** Scheme of the absolute form; else `null`. */
  readonly scheme: "http" | "https" | null;
}

/**
 * Takes a request-target apart and brings its path into the one form that guards, mounts and apps see (R-M16).
 *
 * Bytes above 7F may stand unencoded, as browsers and curl send them.
 *
 * @param target byte string, as received
 * @throws GatewayError `GW_BAD_TARGET` (400) for blanks, control bytes, a fragment, a malformed `%`, NUL, a path that
 *   climbs above the root, `*` with another method than OPTIONS, and the authority form, which only CONNECT has (R-H4);
 *   `GW_BAD_AUTHORITY` (400) for a malformed host in the absolute form.
 */
export function parseTarget(target: string, method: string): ParsedTarget {
  if (target.charCodeAt(0) === SLASH) return parsePath(target, "origin", null, null);
  if (target === "*" && method === "OPTIONS") return asterisk;
  return absoluteForm(target, method);
}

/** The path and query of a target as sent, without the scheme and authority of the absolute form: REQUEST_URI. */
export function rawPathAndQuery(target: string): string {
  if (target.charCodeAt(0) === SLASH || target === "*") return target;
  const match = ABSOLUTE.exec(target);
  if (match === null) return target;
  const rest = match[3] as string;
  return rest.charCodeAt(0) === SLASH ? rest : `/${rest}`;
}

const SLASH = 0x2f;
const DOT = 0x2e;
const asterisk: ParsedTarget = { form: "asterisk", path: "*", query: "", authority: null, scheme: null };
const ABSOLUTE = /^(https?):\/\/([^/?]+)(.*)$/is;

function absoluteForm(target: string, method: string): ParsedTarget {
  const match = ABSOLUTE.exec(target);
  if (match === null) throw badTarget("expected /path, http://host/path, or * with OPTIONS", target);
  const scheme = (match[1] as string).toLowerCase() as "http" | "https";
  const authority = match[2] as string;
  parseAuthority(authority, scheme);
  // RFC 9112 §3.2.4: without a path, OPTIONS asks the server as a whole.
  if (match[3] === "" && method === "OPTIONS") return { form: "absolute", path: "*", query: "", authority, scheme };
  return parsePath(rawPathAndQuery(target), "absolute", authority, scheme);
}

/** Kinds of byte in a path. */
const PLAIN = 0;
const SEPARATOR = 1;
const QUESTION = 2;
const PERCENT = 3;
const ILLEGAL = 4;

const kindOfByte: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte <= 0x20 || byte === 0x7f || byte === 0x23) return ILLEGAL;
  if (byte === SLASH) return SEPARATOR;
  if (byte === 0x3f) return QUESTION;
  return byte === 0x25 ? PERCENT : PLAIN;
});

const LEGAL_QUERY = /^[\u0021\u0022\u0024-\u007e\u0080-\u00ff]*$/;

/** Reads `/path?query` in one pass; only a path with `%`, `//` or `/.` takes another. */
function parsePath(
  target: string,
  form: "origin" | "absolute",
  authority: string | null,
  scheme: "http" | "https" | null,
): ParsedTarget {
  const { length } = target;
  let isNormal = true;
  let afterSlash = false;
  let at = 0;
  for (; at < length; at++) {
    const code = target.charCodeAt(at);
    const kind = code < 256 ? kindOfByte[code] : ILLEGAL;
    if (kind === QUESTION) break;
    if (kind === ILLEGAL) throw badTarget("a blank, a control character, or #", target);
    if (kind === PERCENT || (afterSlash && (kind === SEPARATOR || code === DOT))) isNormal = false;
    afterSlash = kind === SEPARATOR;
  }
  const raw = at === length ? target : target.slice(0, at);
  const query = at === length ? "" : target.slice(at + 1);
  if (query !== "" && !LEGAL_QUERY.test(query)) throw badTarget("a blank, a control character, or #", target);
  return { form, path: isNormal ? raw : normalizePath(raw), query, authority, scheme };
}

function badTarget(what: string, target: string): GatewayError {
  return new GatewayError("GW_BAD_TARGET", 400, `request-target: ${what}, in ${JSON.stringify(target.slice(0, 80))}`);
}
