// JSON Web Tokens (RFC 7519, RFC 9068): a signed token with each request becomes the principal (R-M3).
import {
  andThen,
  GatewayError,
  type GatewayRequest,
  type Lifecycle,
  type MaybePromise,
  type Middleware,
  type Principal,
} from "@gw/core";
import { bearerLayer } from "./bearer-auth.ts";
import { isAlgorithm, type JwtAlgorithm } from "./jwt/algorithms.ts";
import { type PublicKeyInput, publicKey, type SecretInput, secretKey } from "./jwt/key-set.ts";
import { type JwksOptions, RemoteKeys } from "./jwt/remote-keys.ts";
import { type KeySource, type TokenRules, type Verdict, verifyToken } from "./jwt/verify.ts";
import type { KeyOwner } from "./keys/key-table.ts";

export type { JwtAlgorithm } from "./jwt/algorithms.ts";
export type { PublicKeyInput, SecretInput } from "./jwt/key-set.ts";
export type { JwksOptions } from "./jwt/remote-keys.ts";
export type { KeyOwner } from "./keys/key-table.ts";

/** What a token says. Its signature and `iss`, `aud`, `exp` are checked; the rest is what the issuer wrote. */
export type JwtClaims = Readonly<Record<string, unknown>>;

/** Settings of `jwt`: give exactly one of `secret`, `publicKey` and `jwks`. */
export interface JwtOptions {
  /** Who makes the tokens: `iss` must be one of these. */
  issuer: string | readonly string[];
  /** Who they are for: `aud` must name one of these. Not the client's id, but this site's. */
  audience: string | readonly string[];
  /** Algorithms that tokens may be signed with. HS… goes with `secret` only, the others with keys only. */
  algorithms: readonly JwtAlgorithm[];
  /** Secrets shared with the issuer; a list while one replaces another. As many bytes as the hash has, at least. */
  secret?: SecretInput | readonly SecretInput[];
  /** Public keys of the issuer: PEM, JWK or `KeyObject`; a list while one replaces another. */
  publicKey?: PublicKeyInput | readonly PublicKeyInput[];
  /** The issuer's JWK Set, or its URL: fetched at start, kept, and fetched again when it is old or a new key turns up. */
  jwks?: string | JwksOptions;
  /** Tolerance for clocks that differ, milliseconds, 60_000 at most. @default 30_000 */
  clockSkewMs?: number;
  /** Greatest age by `iat`, which is then required, milliseconds. @default as `exp` says */
  maxAgeMs?: number;
  /** Values of the header's `typ` that may be there; a token without one passes. Others, such as `logout+jwt`, are for other uses (RFC 8725 §3.11). @default ["JWT", "at+jwt"] */
  types?: readonly string[];
  /** Claim with the user's name. @default "sub" */
  userClaim?: string;
  /** Claim with the groups, a list of texts or one text with blanks between. @default "groups" */
  groupsClaim?: string;
  /** Says whose a token is, instead of the two claims; `null`: nobody's, 401. */
  owner?: (claims: JwtClaims, request: GatewayRequest) => MaybePromise<KeyOwner | null>;
  /** The area of the tokens, printable ASCII. @default "Restricted" */
  realm?: string;
}

/**
 * Lets through requests and sockets with a good token in `Authorization: Bearer`, as principal of type `"Bearer"` with all
 * claims of the token; 401 to others, 503 as long as the issuer's keys were never had.
 *
 * The field does not go on to the app (R-C6). Asynchronous: signatures are checked off the main thread.
 *
 * @throws GatewayError `GW_JWT` for settings that fit no token, or any.
 */
export function jwt(options: JwtOptions): Middleware {
  const verifier = jwtVerifier(options);
  const owner = options.owner ?? claimedOwner(options);
  return bearerLayer("jwt", options.realm, (token, request) => principalOf(token, request), verifier);

  async function principalOf(token: string, request: GatewayRequest): Promise<Principal | null> {
    const verdict = await verifier.verify(token);
    if ("problem" in verdict) {
      request.exchange.log.info({ problem: verdict.problem, client: request.client }, "a token was refused");
      return null;
    }
    return andThen(owner(verdict.claims, request), (found) => toPrincipal(found, verdict.claims));
  }
}

/** What checks tokens outside of a layer, in a WebSocket's messages for example. */
export interface JwtVerifier extends Lifecycle {
  /** The claims of a good token, or what is wrong with it. @throws GatewayError `GW_JWKS` (503) while there are no keys. */
  verify(token: string): Promise<{ readonly claims: JwtClaims } | { readonly problem: string }>;
}

/** The check that `jwt` makes, without the layer. With `jwks`, `start` fetches the keys early; they come by themselves, too. */
export function jwtVerifier(options: JwtOptions): JwtVerifier {
  const rules = rulesOf(options);
  const { keys, life } = keySource(options, rules.algorithms as readonly JwtAlgorithm[]);
  return { ...life, verify: (token): Promise<Verdict> => verifyToken(token, rules, keys) };
}

/** The user and groups that two claims name. The pure step of `jwt`. */
export function claimedOwner({
  userClaim = "sub",
  groupsClaim = "groups",
}: Pick<JwtOptions, "userClaim" | "groupsClaim">): (claims: JwtClaims) => KeyOwner | null {
  return (claims) => {
    const user = claims[userClaim];
    if (typeof user !== "string" || user === "") return null;
    return { user, groups: groupsOf(claims[groupsClaim]), claims };
  };
}

function groupsOf(claim: unknown): readonly string[] {
  if (typeof claim === "string") return claim.split(" ").filter((name) => name !== "");
  return Array.isArray(claim) ? claim.filter((name) => typeof name === "string") : [];
}

function toPrincipal(owner: KeyOwner | null, all: JwtClaims): Principal | null {
  if (owner === null || owner.user === "" || (owner.expiresMs ?? Number.POSITIVE_INFINITY) <= Date.now()) return null;
  const { user, groups = [], claims = all } = owner;
  return { user, type: "Bearer", groups, claims };
}

const MAX_SKEW_MS = 60_000;

function rulesOf(options: JwtOptions): TokenRules {
  const { issuer, audience, algorithms, clockSkewMs = 30_000, maxAgeMs, types = ["JWT", "at+jwt"] } = options;
  for (const [name, value] of Object.entries({ issuer, audience, algorithms })) {
    const list = [value].flat();
    if (list.length === 0 || list.some((one) => typeof one !== "string" || one === "")) {
      throw bad(`${name} names nothing; every token is checked for it`);
    }
  }
  for (const name of algorithms) if (!isAlgorithm(name)) throw bad(`${JSON.stringify(name)} is no algorithm`);
  if (!(clockSkewMs >= 0 && clockSkewMs <= MAX_SKEW_MS)) throw bad("clockSkewMs is from 0 to 60000");
  return { issuer, audience, algorithms, types, clockSkewMs, maxAgeMs };
}

function keySource(options: JwtOptions, algorithms: readonly JwtAlgorithm[]): { keys: KeySource; life: Lifecycle } {
  const { secret, publicKey: keys, jwks } = options;
  if ([secret, keys, jwks].filter((one) => one !== undefined).length !== 1) {
    throw bad("give exactly one of the options secret, publicKey and jwks");
  }
  const isShared = secret !== undefined;
  for (const name of algorithms) {
    if (name.startsWith("HS") !== isShared) throw bad(`${name} does not go with ${isShared ? "a secret" : "keys"}`);
  }
  if (jwks !== undefined) return remote(typeof jwks === "string" ? { url: jwks } : jwks, algorithms);
  const fixed = isShared
    ? [secret].flat().map((one) => secretKey(one as SecretInput, algorithms))
    : [keys].flat().map((one) => publicKey(one as PublicKeyInput, algorithms));
  return { keys: { current: () => fixed }, life: {} };
}

function remote(options: JwksOptions, algorithms: readonly JwtAlgorithm[]): { keys: KeySource; life: Lifecycle } {
  const keys = new RemoteKeys(options, algorithms);
  return { keys, life: { start: ({ log }) => keys.start(log), status: () => keys.status() } };
}

function bad(message: string): GatewayError {
  return new GatewayError("GW_JWT", 500, `jwt: ${message}`);
}
