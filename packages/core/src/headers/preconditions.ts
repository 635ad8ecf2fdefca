// Conditional requests (RFC 9110 §13): pure rules, for files and for the layers that add validators.
import type { HeaderList } from "../model/headers.ts";
import { parseHttpDate } from "./http-date.ts";

/** What is known of the representation that would be sent. */
export interface Validators {
  /** Entity tag with its quotes, `W/` before a weak one; `null`: none. */
  readonly etag: string | null;
  /** Time of the last change, milliseconds since 1970; `null`: not known. */
  readonly lastModifiedMs: number | null;
}

/**
 * What the preconditions of a request ask for, in the order of RFC 9110 §13.2.2.
 *
 * `"not-modified"`: 304 to GET and HEAD, 412 to other methods is `"failed"`.
 * Fields that do not parse are ignored, but an If-Match that names no tag fails.
 */
export function evaluatePreconditions(
  method: string,
  headers: HeaderList,
  validators: Validators,
): "proceed" | "not-modified" | "failed" {
  if (!matchesCurrent(headers, validators)) return "failed";
  const noneMatch = headers.get("if-none-match");
  const isRead = method === "GET" || method === "HEAD";
  if (noneMatch !== null) {
    if (!listHolds(noneMatch, validators.etag, weakly)) return "proceed";
    return isRead ? "not-modified" : "failed";
  }
  const since = isRead ? dateOf(headers, "if-modified-since") : null;
  if (since === null || validators.lastModifiedMs === null) return "proceed";
  return toSecond(validators.lastModifiedMs) <= since ? "not-modified" : "proceed";
}

/** If-Match, or where that is absent If-Unmodified-Since (§13.1.1, §13.1.4). */
function matchesCurrent(headers: HeaderList, { etag, lastModifiedMs }: Validators): boolean {
  const match = headers.get("if-match");
  if (match !== null) return listHolds(match, etag, strongly);
  const since = dateOf(headers, "if-unmodified-since");
  return since === null || lastModifiedMs === null || toSecond(lastModifiedMs) <= since;
}

/**
 * Whether a Range field counts: there is no If-Range, or it names what would be sent (RFC 9110 §13.1.5).
 *
 * @param nowMs wall clock; a date counts only when it is too old to hide a second change within its second (§8.8.2.2)
 */
export function rangeApplies(headers: HeaderList, { etag, lastModifiedMs }: Validators, nowMs: number): boolean {
  const condition = headers.get("if-range");
  if (condition === null) return true;
  const date = parseHttpDate(condition.trim());
  if (date === null) return etag !== null && strongly(condition.trim(), etag);
  return lastModifiedMs !== null && toSecond(lastModifiedMs) === date && nowMs - date >= 2_000;
}

// An entity tag, or whatever else stands between commas outside quotes.
const TAG = /(?:W\/)?"[\u0021\u0023-\u007e\u0080-\u00ff]*"/g;

function listHolds(list: string, etag: string | null, same: (one: string, other: string) => boolean): boolean {
  if (list.trim() === "*") return true; // it exists
  return etag !== null && (list.match(TAG) ?? []).some((tag) => same(tag, etag));
}

/** §8.8.3.2 */
function strongly(one: string, other: string): boolean {
  return one === other && one.startsWith('"');
}

/** §8.8.3.2 */
function weakly(one: string, other: string): boolean {
  return one.replace(/^W\//, "") === other.replace(/^W\//, "");
}

function dateOf(headers: HeaderList, name: string): number | null {
  const value = headers.get(name);
  return value === null ? null : parseHttpDate(value.trim());
}

function toSecond(ms: number): number {
  return Math.floor(ms / 1_000) * 1_000;
}
