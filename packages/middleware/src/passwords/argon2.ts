// Argon2 (RFC 9106), where the runtime has it: Node 24.7 and later.
import * as crypto from "node:crypto";
import { GatewayError, type MaybePromise } from "@gw/core";
import { type PhcHash, parsePhc, writePhc } from "./phc.ts";

// OWASP's first choice for logins: 19 MiB, two passes.
const MEMORY_KIB = 19_456;
const PASSES = 2;
const LANES = 1;
const TAG_BYTES = 32;
const VERSION = 19; // 0x13, the only one in use
const MAX_MEMORY_KIB = 1_048_576; // what a hash file may ask of us

/** Whether this runtime can compute Argon2. */
export function hasArgon2(): boolean {
  return typeof (crypto as Partial<typeof crypto>).argon2Sync === "function";
}

/** A new Argon2id hash as a PHC string. */
export async function hashArgon2(password: string): Promise<string> {
  const phc: PhcHash = {
    id: "argon2id",
    version: VERSION,
    parameters: { m: MEMORY_KIB, t: PASSES, p: LANES },
    salt: crypto.randomBytes(16),
    hash: new Uint8Array(TAG_BYTES),
  };
  return writePhc({ ...phc, hash: await derive(password, phc, false) });
}

/**
 * Whether a password has this hash (argon2id, argon2i or argon2d).
 *
 * @throws GatewayError `GW_PASSWORD_HASH` for a malformed hash, or if the runtime has no Argon2.
 */
export function verifyArgon2(password: string, text: string, isBlocking: boolean): MaybePromise<boolean> {
  const phc = parsePhc(text);
  const { m = 0, t = 0, p = 0 } = phc.parameters;
  const isSound = phc.version === VERSION && m >= 8 * p && m <= MAX_MEMORY_KIB && t >= 1 && p >= 1 && p <= 255;
  if (!isSound || phc.hash.length < 4 || phc.salt.length < 8) {
    throw new GatewayError("GW_PASSWORD_HASH", 500, "an Argon2 hash has parameters that RFC 9106 or our limits forbid");
  }
  const derived = derive(password, phc, isBlocking);
  return derived instanceof Promise
    ? derived.then((hash) => crypto.timingSafeEqual(hash, phc.hash))
    : crypto.timingSafeEqual(derived, phc.hash);
}

function derive(
  password: string,
  { id, parameters, salt, hash }: PhcHash,
  isBlocking: boolean,
): MaybePromise<Uint8Array> {
  if (!hasArgon2()) {
    throw new GatewayError(
      "GW_PASSWORD_HASH",
      500,
      `Node ${process.version} cannot compute Argon2; use bcrypt or scrypt`,
    );
  }
  const algorithm = id as "argon2id" | "argon2i" | "argon2d";
  const input = {
    message: password,
    nonce: salt,
    memory: parameters.m ?? 0,
    passes: parameters.t ?? 0,
    parallelism: parameters.p ?? 0,
    tagLength: hash.length,
  };
  if (isBlocking) return crypto.argon2Sync(algorithm, input);
  return new Promise((resolve, reject) => {
    crypto.argon2(algorithm, input, (error, derived) => (error === null ? resolve(derived) : reject(error)));
  });
}
