// Passwords as hashes: made with the best the runtime has, checked in every form found in the wild.
import { GatewayError, type MaybePromise } from "@gw/core";
import { genSalt, hash as hashBcrypt } from "bcryptjs";
import { hasArgon2, hashArgon2 } from "./passwords/argon2.ts";
import { schemeOf } from "./passwords/scheme.ts";
import { hashScrypt } from "./passwords/scrypt.ts";

export type { Account, AccountsOptions, UserEntry, VerifyPassword } from "./passwords/accounts.ts";

/** Settings of `hashPassword`. */
export interface HashPasswordOptions {
  /** `"bcrypt"` is the one Apache reads too; it ignores all beyond 72 bytes, so longer passwords are refused. @default "argon2id" where the runtime has it, else "scrypt" */
  algorithm?: "argon2id" | "scrypt" | "bcrypt";
}

const BCRYPT_COST = 12;
const BCRYPT_MAX_BYTES = 72;

/**
 * Hashes a password: a PHC string (Argon2id, scrypt) or a bcrypt hash.
 *
 * @throws GatewayError `GW_PASSWORD_HASH` if the algorithm is not there or cannot take the password.
 */
export async function hashPassword(password: string, options: HashPasswordOptions = {}): Promise<string> {
  const { algorithm = hasArgon2() ? "argon2id" : "scrypt" } = options;
  if (algorithm === "argon2id") return hashArgon2(password);
  if (algorithm === "scrypt") return hashScrypt(password);
  if (Buffer.byteLength(password) > BCRYPT_MAX_BYTES) {
    throw new GatewayError("GW_PASSWORD_HASH", 500, `bcrypt takes at most ${BCRYPT_MAX_BYTES} bytes of a password`);
  }
  return hashBcrypt(password, await genSalt(BCRYPT_COST));
}

/** Settings of `verifyPassword`. */
export interface VerifyPasswordOptions {
  /** Computes on this thread, with no promise. @default false */
  blocking?: boolean;
}

/**
 * Whether a password has this hash: Argon2, scrypt, bcrypt, `$apr1$` or `{SHA}`. Compares in constant time.
 *
 * Slow kinds are computed off this thread or in slices, a few at a time.
 *
 * @throws GatewayError `GW_PASSWORD_HASH` for a hash of another kind; `GW_PASSWORD_BUSY` (503) if too many checks wait.
 */
export function verifyPassword(
  password: string,
  hash: string,
  { blocking = false }: VerifyPasswordOptions = {},
): MaybePromise<boolean> {
  return schemeOf(hash).verify(password, hash, blocking);
}
