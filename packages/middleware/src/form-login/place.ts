// Where the login page is: left on the request by `formLogin`, read by `requireUser`.
import { type StateKey, stateKey } from "@gw/core";

/** Path of the login page from the root of the site, percent-encoded. */
export const loginPlace: StateKey<string> = stateKey("gw.login-place");

/** Name of the field that carries where to go after the login. */
export const NEXT_FIELD = "next";

const MAX_NEXT_CHARS = 2_000;

/** The login page's URL, with where to go afterwards unless that is too long to carry. */
export function loginUrl(place: string, next: string | null): string {
  if (next === null || next.length > MAX_NEXT_CHARS) return place;
  return `${place}${place.includes("?") ? "&" : "?"}${NEXT_FIELD}=${encodeURIComponent(next)}`;
}

/** The challenge of a login by form and cookie (draft-broyer-http-cookie-auth): every 401 carries one (RFC 9110 §15.5.2). */
export function cookieChallenge(place: string | false): string {
  return place === false ? 'Cookie realm="login"' : `Cookie realm="login", form-action="${place}"`;
}
