// Paths: percent-decoding and dot segments, done once (docs/decisions/0003-paths.md).
import { GatewayError } from "../model/errors.ts";

/**
 * A raw path as decoded bytes, with dot segments resolved and slashes merged.
 *
 * @throws GatewayError `GW_BAD_TARGET` (400) for a malformed `%`, NUL, or a path that climbs above the root.
 */
export function normalizePath(rawPath: string): string {
  const decoded = rawPath.includes("%") ? decodePercent(rawPath) : rawPath;
  return resolveSegments(decoded);
}

/**
 * Percent-decodes once, to bytes; `+` stays.
 *
 * @throws GatewayError `GW_BAD_TARGET` (400) for a `%` without two hexadecimal digits.
 */
export function decodePercent(text: string): string {
  return text.replace(/%(.{0,2})/gs, (_, digits: string) => {
    if (!/^[0-9a-fA-F]{2}$/.test(digits)) throw bad("a % without two hexadecimal digits", text);
    return String.fromCharCode(Number.parseInt(digits, 16));
  });
}

/**
 * A decoded path with dot segments resolved (RFC 3986 §5.2.4) and slashes merged.
 *
 * @throws GatewayError `GW_BAD_TARGET` (400) for NUL or a path that climbs above the root.
 */
export function resolveSegments(path: string): string {
  if (path.includes("\0")) throw bad("NUL in the path", path);
  if (!/\/(?:\/|\.)/.test(path)) return path;
  const kept: string[] = [];
  const segments = path.split("/");
  const last = segments.length - 1;
  segments.forEach((segment, index) => {
    if (segment === "..") {
      if (kept.pop() === undefined) throw bad("the path climbs above the root", path);
    } else if (segment !== "" && segment !== ".") kept.push(segment);
    if (index === last && (segment === "" || segment === "." || segment === "..") && kept.length > 0) kept.push("");
  });
  return `/${kept.join("/")}`;
}

function bad(message: string, path: string): GatewayError {
  return new GatewayError(
    "GW_BAD_TARGET",
    400,
    `request-target: ${message}, found ${JSON.stringify(path.slice(0, 80))}`,
  );
}
