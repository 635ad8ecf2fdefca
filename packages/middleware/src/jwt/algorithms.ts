// Which key may check which algorithm: what defeats key confusion, since the token's own word for it never counts (R-M3).
import type { KeyObject } from "node:crypto";

/** Algorithms that tokens can be signed with (RFC 7518 §3.1, RFC 8037, RFC 9864). There is no `none`. */
export type JwtAlgorithm =
  | "HS256"
  | "HS384"
  | "HS512"
  | "RS256"
  | "RS384"
  | "RS512"
  | "PS256"
  | "PS384"
  | "PS512"
  | "ES256"
  | "ES384"
  | "ES512"
  | "EdDSA"
  | "Ed25519";

const RSA: readonly JwtAlgorithm[] = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
const CURVES: Readonly<Record<string, readonly JwtAlgorithm[]>> = {
  prime256v1: ["ES256"],
  secp384r1: ["ES384"],
  secp521r1: ["ES512"],
};

/** The HMAC algorithms and the bytes that a secret needs at least (RFC 7518 §3.2). */
export const secretBytes: Readonly<Record<string, number>> = { HS256: 32, HS384: 48, HS512: 64 };

/** Whether the name is one of `JwtAlgorithm`. */
export function isAlgorithm(name: string): name is JwtAlgorithm {
  return /^(?:[HRPE]S(?:256|384|512)|EdDSA|Ed25519)$/.test(name);
}

/** The algorithms that a key can check; none for a key that is too small or of another kind. */
export function algorithmsOf(key: KeyObject): readonly JwtAlgorithm[] {
  const { type, asymmetricKeyType, asymmetricKeyDetails = {}, symmetricKeySize = 0 } = key;
  if (type === "secret") {
    return (["HS256", "HS384", "HS512"] as const).filter((name) => symmetricKeySize >= (secretBytes[name] as number));
  }
  if (asymmetricKeyType === "rsa") return (asymmetricKeyDetails.modulusLength ?? 0) >= 2_048 ? RSA : []; // RFC 7518 §3.3
  if (asymmetricKeyType === "ec") return CURVES[asymmetricKeyDetails.namedCurve ?? ""] ?? [];
  return asymmetricKeyType === "ed25519" ? ["EdDSA", "Ed25519"] : [];
}
