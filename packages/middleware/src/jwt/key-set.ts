// Keys that tokens are checked with, and which of them may have signed a given one.
import { createPublicKey, createSecretKey, type JsonWebKey, KeyObject } from "node:crypto";
import { GatewayError } from "@gw/core";
import { algorithmsOf, type JwtAlgorithm } from "./algorithms.ts";

/** One key, and what it may be used for. */
export interface VerificationKey {
  readonly key: KeyObject;
  /** Its name, by which a token may ask for it; `null`: it has none. */
  readonly kid: string | null;
  readonly algorithms: readonly JwtAlgorithm[];
}

/** A public key: PEM (SPKI or a certificate), a JWK, or a `KeyObject`. */
export type PublicKeyInput = string | Readonly<Record<string, unknown>> | KeyObject;

/** A secret of an HMAC: bytes, or text that is taken as UTF-8. */
export type SecretInput = string | Uint8Array;

/**
 * The key of a shared secret.
 *
 * @throws GatewayError `GW_JWT` for a secret that is too short for every algorithm, or is a key in PEM.
 */
export function secretKey(input: SecretInput, algorithms: readonly JwtAlgorithm[]): VerificationKey {
  const bytes = typeof input === "string" ? Buffer.from(input) : Buffer.from(input);
  // A public key used as a secret is known to everybody: the oldest key confusion.
  if (bytes.includes("-----BEGIN ")) throw badKey("a key in PEM is no secret: give it as publicKey");
  const key = createSecretKey(bytes);
  const usable = fitting(key, algorithms);
  if (usable.length < algorithms.length) {
    throw badKey(`a secret has at least as many bytes as its hash: 32 for HS256, found ${bytes.length}`);
  }
  return { key, kid: null, algorithms: usable };
}

/**
 * The key of a public key.
 *
 * @throws GatewayError `GW_JWT` for a private or unreadable key, or one that fits none of the algorithms.
 */
export function publicKey(input: PublicKeyInput, algorithms: readonly JwtAlgorithm[]): VerificationKey {
  const key = readPublic(input);
  const usable = fitting(key, algorithms);
  if (usable.length === 0) {
    throw badKey(`a ${key.asymmetricKeyType} key fits none of ${algorithms.join(", ")}, or is too small`);
  }
  const kid = input instanceof KeyObject || typeof input === "string" ? null : nameOf(input);
  return { key, kid, algorithms: usable };
}

/** The keys of a JWK Set (RFC 7517 §5) that can check a signature; others are passed over, as it asks for. */
export function keysOfSet(set: unknown, algorithms: readonly JwtAlgorithm[]): readonly VerificationKey[] {
  const members = isRecord(set) ? set.keys : undefined;
  if (!Array.isArray(members)) throw new Error("the answer is no JWK Set");
  return members.slice(0, MAX_KEYS).flatMap((jwk: unknown) => {
    if (!isRecord(jwk) || jwk.kty === "oct" || "d" in jwk) return []; // a published secret is none
    if (jwk.use !== undefined && jwk.use !== "sig") return [];
    if (Array.isArray(jwk.key_ops) && !jwk.key_ops.includes("verify")) return [];
    const key = tryPublic(jwk);
    const usable = key === null ? [] : fitting(key, algorithms).filter((name) => (jwk.alg ?? name) === name);
    return key === null || usable.length === 0 ? [] : [{ key, kid: nameOf(jwk), algorithms: usable }];
  });
}

const MAX_KEYS = 100;

/** The keys that may have signed a token with this header. A key's name only chooses among the keys we have. */
export function candidates(
  keys: readonly VerificationKey[],
  { alg, kid }: { readonly alg: string; readonly kid?: unknown },
): readonly VerificationKey[] {
  const fit = keys.filter(({ algorithms }) => (algorithms as readonly string[]).includes(alg));
  return typeof kid === "string" ? fit.filter((one) => one.kid === null || one.kid === kid) : fit;
}

function fitting(key: KeyObject, algorithms: readonly JwtAlgorithm[]): JwtAlgorithm[] {
  const able = algorithmsOf(key);
  return algorithms.filter((name) => able.includes(name));
}

function readPublic(input: PublicKeyInput): KeyObject {
  if (input instanceof KeyObject) {
    if (input.type === "public") return input;
    throw badKey(`publicKey is a ${input.type} key`);
  }
  if (typeof input === "string" && /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(input)) {
    throw badKey("publicKey is a private key: keep that where tokens are made");
  }
  if (typeof input !== "string" && ("d" in input || input.kty === "oct")) throw badKey("publicKey is a private key");
  try {
    return typeof input === "string"
      ? createPublicKey(input)
      : createPublicKey({ key: input as JsonWebKey, format: "jwk" });
  } catch (cause) {
    throw badKey("publicKey is no key in PEM, no JWK and no KeyObject", cause);
  }
}

function tryPublic(jwk: Record<string, unknown>): KeyObject | null {
  try {
    return createPublicKey({ key: jwk as JsonWebKey, format: "jwk" });
  } catch {
    return null; // of a kind this runtime does not know
  }
}

function nameOf({ kid }: Readonly<Record<string, unknown>>): string | null {
  return typeof kid === "string" ? kid : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function badKey(message: string, cause?: unknown): GatewayError {
  return new GatewayError("GW_JWT", 500, message, { cause });
}
