// The request-target, read once for every layer and app (RFC 9112 §3.2; docs/decisions/0003-paths.md).
import { GatewayError } from "../model/errors.ts";
import { normalizePath } from "./path.ts";

/** A request-target, taken apart. */
export interface ParsedTarget {
  /** `"origin"`: `/path?query`. `"absolute"`: with scheme and authority. `"asterisk"`: `*`, for OPTIONS only. */
  readonly form: "origin" | "absolute" | "asterisk";
  /** Decoded bytes, dot segments resolved, slashes merged; starts with `/`, or is `*` for the server as a whole. */
  readonly path: string;
  /** What follows the first `?`, not decoded; may be `""`. */
  readonly query: string;
  /** Host and port of the absolute form, as sent; else `null`. */
  readonly authority: string | null;
  /** Scheme of the absolute form; else `null`. */
  readonly scheme: "http" | "https" | null;
}

/**
 * Takes a request-target apart and brings its path into the one form that guards, mounts and apps see (R-M16).
 *
 * @param target byte string, as received
 * @throws GatewayError `GW_BAD_TARGET` (400) for the authority form (CONNECT), blanks, control bytes, a fragment,
 *   a malformed `%`, NUL, a path that climbs above the root, `*` with another method than OPTIONS.
 */
export function parseTarget(target: string, method: string): ParsedTarget {
  if (target.charCodeAt(0) === SLASH) return originForm(target);
  if (target === "*" && method === "OPTIONS") return asterisk;
  return absoluteForm(target, method);
}

const SLASH = 0x2f;
const asterisk: ParsedTarget = { form: "asterisk", path: "*", query: "", authority: null, scheme: null };

function originForm(target: string): ParsedTarget {
  const { path, query } = splitTarget(target);
  return { form: "origin", path, query, authority: null, scheme: null };
}

const ABSOLUTE = /^(https?):\/\/([^/?]+)(.*)$/is;

function absoluteForm(target: string, method: string): ParsedTarget {
  const match = ABSOLUTE.exec(target);
  if (match === null) throw bad("expected /path, http://host/path, or * with OPTIONS", target);
  const scheme = (match[1] as string).toLowerCase() as "http" | "https";
  const authority = match[2] as string;
  const rest = match[3] as string;
  if (rest === "" && method === "OPTIONS") return { form: "absolute", path: "*", query: "", authority, scheme };
  const { path, query } = splitTarget(rest.startsWith("/") ? rest : `/${rest}`);
  return { form: "absolute", path, query, authority, scheme };
}

const LEGAL = /^[\u0021-\u0022\u0024-\u007e\u0080-\u00ff]*$/;

function splitTarget(target: string): { path: string; query: string } {
  if (!LEGAL.test(target)) throw bad("a blank, a control character or a fragment", target);
  const mark = target.indexOf("?");
  const raw = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? "" : target.slice(mark + 1);
  return { path: normalizePath(raw), query };
}

function bad(message: string, target: string): GatewayError {
  return new GatewayError(
    "GW_BAD_TARGET",
    400,
    `request-target: ${message}, found ${JSON.stringify(target.slice(0, 80))}`,
  );
}
