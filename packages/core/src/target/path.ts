// Paths: percent-decoding, dot segments and repeated slashes, done once (docs/decisions/0003-paths.md).
import { GatewayError } from "../model/errors.ts";

/**
 * A raw path as decoded bytes, with dot segments resolved and slashes merged: the form that guards, mounts and apps see.
 *
 * `%2F` becomes `/` and `%2e%2e` is a dot segment, so that no spelling reaches a place that a guard did not see (R-M16).
 *
 * @throws GatewayError `GW_BAD_TARGET` (400) for a malformed `%`, NUL, or a path that climbs above the root.
 */
export function normalizePath(rawPath: string): string {
  const decoded = decodePercent(rawPath);
  if (decoded === null) throw badPath("a % without two hexadecimal digits", rawPath);
  return resolveSegments(decoded);
}

/** Percent-decodes once, to bytes; `+` stays. `null` if a `%` is not followed by two hexadecimal digits. */
export function decodePercent(text: string): string | null {
  let percent = text.indexOf("%");
  if (percent === -1) return text;
  let decoded = "";
  let from = 0;
  do {
    const byte = hexByte(text, percent + 1);
    if (byte === -1) return null;
    decoded += text.slice(from, percent) + String.fromCharCode(byte);
    from = percent + 3;
    percent = text.indexOf("%", from);
  } while (percent !== -1);
  return decoded + text.slice(from);
}

/**
 * A decoded path, `""` or starting with `/`, with dot segments resolved (RFC 3986 §5.2.4) and slashes merged.
 *
 * @throws GatewayError `GW_BAD_TARGET` (400) for NUL or a path that climbs above the root.
 */
export function resolveSegments(path: string): string {
  if (path.includes("\0")) throw badPath("NUL", path);
  if (!path.includes("//") && !path.includes("/.")) return path;
  const kept: string[] = [];
  let isFolder = false; // whether the last segment leaves a trailing slash
  for (const segment of path.slice(1).split("/")) {
    isFolder = segment === "" || segment === "." || segment === "..";
    if (!isFolder) kept.push(segment);
    else if (segment === ".." && kept.pop() === undefined) throw badPath("a way above the root", path);
  }
  return isFolder && kept.length > 0 ? `/${kept.join("/")}/` : `/${kept.join("/")}`;
}

/** The value of two hexadecimal digits at this place, or -1. */
function hexByte(text: string, at: number): number {
  const high = hexDigit(text.charCodeAt(at));
  const low = hexDigit(text.charCodeAt(at + 1));
  return high === -1 || low === -1 ? -1 : high * 16 + low;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function badPath(found: string, path: string): GatewayError {
  return new GatewayError("GW_BAD_TARGET", 400, `the path has ${found}: ${JSON.stringify(path.slice(0, 80))}`);
}
