// Logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.4): the provider says that a login has ended.

import { type KeySource, type TokenRules, verifyToken } from "../jwt/verify.ts";
import type { JwtClaims } from "../jwt.ts";
import type { Ended } from "./revocations.ts";

/** What a logout token ends, or why it is not one. */
export type LogoutVerdict = { readonly ended: Ended; readonly id: string } | { readonly problem: string };

const EVENT = "http://schemas.openid.net/event/backchannel-logout";

/** Checks a logout token: signature, `iss`, `aud`, `exp` and `iat` as of an ID token, and what makes it a logout token (§2.6). */
export async function verifyLogoutToken(token: string, rules: TokenRules, keys: KeySource): Promise<LogoutVerdict> {
  const verdict = await verifyToken(token, rules, keys);
  return "problem" in verdict ? verdict : readLogout(verdict.claims);
}

/** What the claims of a logout token end. The pure step of `verifyLogoutToken`. */
export function readLogout(claims: JwtClaims): LogoutVerdict {
  const { sub, sid, events, jti, nonce } = claims;
  if (nonce !== undefined) return { problem: "nonce: an ID token" }; // else an ID token could be sent as one
  if (typeof events !== "object" || events === null || !isObject((events as Record<string, unknown>)[EVENT])) {
    return { problem: "events" };
  }
  if (typeof jti !== "string" || jti === "") return { problem: "jti" };
  if (typeof sid === "string" && sid !== "") return { ended: { kind: "sid", id: sid }, id: jti };
  if (typeof sub === "string" && sub !== "") return { ended: { kind: "sub", id: sub }, id: jti };
  return { problem: "neither sub nor sid" };
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
