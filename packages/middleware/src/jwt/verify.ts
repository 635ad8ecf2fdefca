// Whether a token is good: header, signature and claims, in that order (RFC 7515 §5.2, RFC 7519 §7.2, RFC 8725).
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from "jose";
import { candidates, type VerificationKey } from "./key-set.ts";

/** What every token must say. */
export interface TokenRules {
  readonly issuer: string | readonly string[];
  readonly audience: string | readonly string[];
  readonly algorithms: readonly string[];
  /** Values of `typ` that may be there. */
  readonly types: readonly string[];
  /** Tolerance for clocks that differ, milliseconds. */
  readonly clockSkewMs: number;
  /** Greatest age by `iat`, milliseconds. */
  readonly maxAgeMs?: number | undefined;
}

/** The keys a token may have been signed with. */
export interface KeySource {
  current(): VerificationKey[] | readonly VerificationKey[] | Promise<readonly VerificationKey[]>;
  /** Looks again for keys, because none of those at hand is the token's; `null`: there are no others. */
  renewed?(): Promise<readonly VerificationKey[] | null>;
}

/** The claims of a good token, or why it is not good: for a log, without anything of the token. */
export type Verdict = { readonly claims: JWTPayload } | { readonly problem: string };

const MAX_TOKEN_CHARS = 16_384;
const MAX_TRIES = 8; // keys without a name are tried one after the other

/**
 * Checks a token.
 *
 * The header only chooses among what is configured: its algorithm must be listed and fit the key; key hints (`jku`, `jwk`,
 * `x5u`, `x5c`) are not read, and `crit` is refused whatever it names (R-M3).
 */
export async function verifyToken(token: string, rules: TokenRules, source: KeySource): Promise<Verdict> {
  if (token.length > MAX_TOKEN_CHARS) return { problem: "too long" };
  const header = headerOf(token, rules);
  if ("problem" in header) return header;
  let keys = candidates(await source.current(), header);
  if (keys.length === 0) keys = candidates((await source.renewed?.()) ?? [], header);
  if (keys.length === 0) return { problem: "signed with an unknown key" };
  let verdict: Verdict = { problem: "signature" };
  for (const { key } of keys.slice(0, MAX_TRIES)) {
    verdict = await tryKey(token, key, rules);
    if ("claims" in verdict || verdict.problem !== "signature") break;
  }
  return verdict;
}

interface TokenHeader {
  readonly alg: string;
  readonly kid?: unknown;
}

function headerOf(token: string, { algorithms, types }: TokenRules): TokenHeader | { readonly problem: string } {
  if (token.split(".").length !== 3) return { problem: "not three parts: no signed token" };
  let header: ReturnType<typeof decodeProtectedHeader>;
  try {
    header = decodeProtectedHeader(token);
  } catch {
    return { problem: "unreadable header" };
  }
  const { alg, kid, typ } = header;
  if (typeof alg !== "string" || !algorithms.includes(alg)) return { problem: "algorithm" };
  if ("crit" in header) return { problem: "crit" };
  if ("b64" in header) return { problem: "b64" };
  if (typ !== undefined && !isType(typ, types)) return { problem: "typ" };
  return { alg, kid };
}

function isType(typ: unknown, types: readonly string[]): boolean {
  if (typeof typ !== "string") return false;
  const plain = typ.toLowerCase().replace(/^application\//, ""); // RFC 7515 §4.1.9
  return types.some((one) => one.toLowerCase() === plain);
}

async function tryKey(token: string, key: VerificationKey["key"], rules: TokenRules): Promise<Verdict> {
  const { issuer, audience, algorithms, clockSkewMs, maxAgeMs } = rules;
  try {
    const { payload } = await jwtVerify(token, key, {
      issuer: [issuer].flat(),
      audience: [audience].flat(),
      algorithms: [...algorithms],
      requiredClaims: ["exp"],
      clockTolerance: clockSkewMs / 1_000,
      ...(maxAgeMs !== undefined && { maxTokenAge: maxAgeMs / 1_000 }),
    });
    return { claims: payload };
  } catch (error) {
    return { problem: problemOf(error) };
  }
}

function problemOf(error: unknown): string {
  if (error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed) {
    return `claim ${error.claim}`;
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return "signature";
  if (error instanceof errors.JOSEError) return error.code;
  // A key that the library refuses for this algorithm checks nothing, as a wrong one does.
  if (error instanceof TypeError) return "signature";
  throw error;
}
