// What a session keeps of a login at a provider.
import type { Principal } from "@gw/core";
import type { JwtClaims } from "../jwt.ts";
import type { KeyOwner } from "../keys/key-table.ts";
import type { ActiveSession } from "../session/active.ts";
import type { JsonValue } from "../session/json-value.ts";

/** A login, as the session keeps it; no app sees it. */
export interface OidcLogin {
  readonly issuer: string;
  readonly sub: string;
  /** The provider's name for its session, by which it can end ours; `null`: it gave none. */
  readonly sid: string | null;
  /** Shown to the provider at logout. */
  readonly idToken: string;
  /** With which tokens are renewed; `null`: the provider gave none, or they are not to be. */
  readonly refreshToken: string | null;
  /** When to renew, milliseconds since the epoch; put off while one request is at it, or the provider is out. */
  readonly renewAtMs: number;
  readonly sinceMs: number;
}

/** Tokens and claims as a provider gave them. */
export interface Granted {
  readonly claims: JwtClaims & { readonly sub: string };
  readonly idToken: string;
  readonly refreshToken: string | null;
  readonly expiresInMs: number | null;
}

const KEY = "oidc.login";

/** The session's login at this provider, or `null`. */
export function loginOf(session: ActiveSession, issuer: string): OidcLogin | null {
  const found = session.own(KEY) as OidcLogin | null | undefined;
  return found !== undefined && found !== null && found.issuer === issuer ? found : null;
}

/** Changes the session's login; `change` may run again when a parallel request was faster. */
export function changeLogin(session: ActiveSession, change: (before: OidcLogin | null) => OidcLogin | null): void {
  session.updateOwn(KEY, (before) => change((before ?? null) as OidcLogin | null) as unknown as JsonValue);
}

/** What to keep of fresh tokens. */
export function loginFrom(issuer: string, granted: Granted, nowMs: number, before: OidcLogin | null = null): OidcLogin {
  const { claims, idToken, refreshToken, expiresInMs } = granted;
  return {
    issuer,
    sub: claims.sub,
    sid: typeof claims.sid === "string" ? claims.sid : (before?.sid ?? null),
    idToken: idToken === "" ? (before?.idToken ?? "") : idToken,
    refreshToken: refreshToken ?? before?.refreshToken ?? null,
    renewAtMs: nowMs + Math.max(expiresInMs ?? DEFAULT_LIFE_MS, MIN_LIFE_MS),
    sinceMs: before?.sinceMs ?? nowMs,
  };
}

const DEFAULT_LIFE_MS = 3_600_000;
const MIN_LIFE_MS = 10_000; // a provider that gives tokens of no life is not asked with every request

// Of the ID token as a message, not of the user; some change with every renewal.
const PROTOCOL_CLAIMS = new Set("iss aud azp exp iat nbf jti nonce at_hash c_hash s_hash sid auth_time".split(" "));

/** The principal of an owner: with what the token says of the user, unless the owner brings claims of its own. */
export function oidcPrincipal(owner: KeyOwner | null, claims: JwtClaims): Principal | null {
  if (owner === null || owner.user === "") return null;
  const { user, groups = [] } = owner;
  const own = owner.claims ?? claims;
  return { user, type: "oidc", groups, claims: own === claims ? userClaims(claims) : own };
}

function userClaims(claims: JwtClaims): JwtClaims {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => !PROTOCOL_CLAIMS.has(name)));
}
