// Identity headers: fields that claim who the user is. Clients may not send them (R-H18).
import type { HeaderList } from "../model/headers.ts";

/** Fields that no client may set, whatever the configuration. */
export const identityHeaders: readonly string[] = [
  "Remote-User",
  "Remote-Groups",
  "Auth-Type",
  "X-Remote-User",
  "X-Forwarded-User",
  "X-Forwarded-Email",
  "X-Forwarded-Groups",
];

/**
 * Removes the identity headers, and those named in `extra`, in every spelling that some backend folds to the same variable:
 * any case, and any other char for `-` (`Remote_User`, `remote.user`).
 *
 * Carriers call it on every request before any layer runs. Gives back the same list if there was nothing to remove.
 *
 * @param extra further names; keep one array for all requests, since what is made from it is remembered
 */
export function scrubIdentity(headers: HeaderList, extra: readonly string[] = none): HeaderList {
  const matcher = extra.length === 0 ? builtIn : matcherFor(extra);
  const flat = headers.toFlat();
  for (let at = 0; at < flat.length; at += 2) {
    if (matches(matcher, flat[at] as string)) return headers.filter((name) => !matches(matcher, name));
  }
  return headers;
}

/** Whether a field name, in whatever spelling, is one of the identity headers. */
export function isIdentityHeader(name: string, extra: readonly string[] = none): boolean {
  return matches(extra.length === 0 ? builtIn : matcherFor(extra), name);
}

/** Folded names by length: few fields of a request have one of these lengths, so most are settled by one look. */
type Matcher = readonly (readonly string[] | undefined)[];

const none: readonly string[] = [];
const builtIn: Matcher = toMatcher(identityHeaders);
const matchers = new WeakMap<readonly string[], Matcher>();

function matcherFor(extra: readonly string[]): Matcher {
  let matcher = matchers.get(extra);
  if (matcher === undefined) {
    matcher = toMatcher([...identityHeaders, ...extra]);
    matchers.set(extra, matcher);
  }
  return matcher;
}

function toMatcher(names: readonly string[]): Matcher {
  const byLength: string[][] = Array.from({ length: Math.max(...names.map((name) => name.length)) + 1 }, () => []);
  for (const name of names) byLength[name.length]?.push(fold(name));
  return byLength.map((folded) => (folded.length === 0 ? undefined : folded));
}

function matches(matcher: Matcher, name: string): boolean {
  const candidates = name.length < matcher.length ? matcher[name.length] : undefined;
  return candidates?.includes(fold(name)) ?? false;
}

function fold(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "-");
}
