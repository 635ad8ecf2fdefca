// Identity headers: fields that claim who the user is. Clients may not send them (R-H18).
import type { HeaderList } from "../model/headers.ts";
import { foldedNames, type NameTest } from "./folded-names.ts";

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
  const isIdentity = testFor(extra);
  const flat = headers.toFlat();
  for (let at = 0; at < flat.length; at += 2) {
    if (isIdentity(flat[at] as string)) return headers.filter((name) => !isIdentity(name));
  }
  return headers;
}

/** Whether a field name, in whatever spelling, is one of the identity headers or of `extra`. */
export function isIdentityHeader(name: string, extra: readonly string[] = none): boolean {
  return testFor(extra)(name);
}

const none: readonly string[] = [];
const builtIn: NameTest = foldedNames(identityHeaders);
const remembered = new WeakMap<readonly string[], NameTest>();

function testFor(extra: readonly string[]): NameTest {
  if (extra.length === 0) return builtIn;
  let test = remembered.get(extra);
  if (test === undefined) {
    test = foldedNames([...identityHeaders, ...extra]);
    remembered.set(extra, test);
  }
  return test;
}
