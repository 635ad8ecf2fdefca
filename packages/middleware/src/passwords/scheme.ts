// What kind of hash a text is, and how a password is checked against it.
import { createHash, timingSafeEqual } from "node:crypto";
import { GatewayError, type MaybePromise } from "@gw/core";
import { compare, compareSync } from "bcryptjs";
import { verifyApr1 } from "./apr1.ts";
import { hasArgon2, verifyArgon2 } from "./argon2.ts";
import { Gate } from "./gate.ts";
import { verifyScrypt } from "./scrypt.ts";

/** One way of storing passwords. */
export interface PasswordScheme {
  readonly name: string;
  readonly pattern: RegExp;
  /** Whether a check takes milliseconds: then it waits its turn, and its success is worth remembering. */
  readonly isSlow: boolean;
  /** Whether this runtime can compute it. */
  readonly isAvailable: () => boolean;
  readonly verify: (password: string, hash: string, isBlocking: boolean) => MaybePromise<boolean>;
}

const always = (): boolean => true;
// bcryptjs computes on this thread, in slices: more at once only makes each slower.
const bcryptGate = new Gate(1, 64);
const poolGate = new Gate(2, 64);

const schemes: readonly PasswordScheme[] = [
  {
    name: "bcrypt",
    pattern: /^\$2[aby]\$(0[4-9]|1[0-7])\$[./A-Za-z0-9]{53}$/,
    isSlow: true,
    isAvailable: always,
    verify: (password, hash, isBlocking) =>
      isBlocking ? compareSync(password, hash) : bcryptGate.run(() => compare(password, hash)),
  },
  {
    name: "argon2",
    pattern: /^\$argon2(id|i|d)\$/,
    isSlow: true,
    isAvailable: hasArgon2,
    verify: (password, hash, isBlocking) =>
      isBlocking ? verifyArgon2(password, hash, true) : poolGate.run(async () => verifyArgon2(password, hash, false)),
  },
  {
    name: "scrypt",
    pattern: /^\$scrypt\$/,
    isSlow: true,
    isAvailable: always,
    verify: (password, hash, isBlocking) =>
      isBlocking ? verifyScrypt(password, hash, true) : poolGate.run(async () => verifyScrypt(password, hash, false)),
  },
  {
    name: "apr1",
    pattern: /^\$apr1\$[./A-Za-z0-9]{1,8}\$[./A-Za-z0-9]{22}$/,
    isSlow: false,
    isAvailable: always,
    verify: verifyApr1,
  },
  {
    name: "{SHA}",
    pattern: /^\{SHA\}[A-Za-z0-9+/]{27}=$/,
    isSlow: false,
    isAvailable: always,
    verify: (password, hash) => {
      const digest = createHash("sha1").update(password, "utf8").digest();
      return timingSafeEqual(digest, Buffer.from(hash.slice("{SHA}".length), "base64"));
    },
  },
];

/** Passwords as they are; only when asked for (R-M2). */
export const plainScheme: PasswordScheme = {
  name: "plain",
  pattern: /^/,
  isSlow: false,
  isAvailable: always,
  verify: (password, stored) => timingSafeEqual(sha256(password), sha256(stored)),
};

function sha256(text: string): Uint8Array {
  return createHash("sha256").update(text, "utf8").digest();
}

/**
 * The scheme of a stored hash.
 *
 * @throws GatewayError `GW_PASSWORD_HASH` if it is of no scheme we know (crypt(3) for example), or of one this runtime cannot compute.
 */
export function schemeOf(hash: string): PasswordScheme {
  const found = schemes.find(({ pattern }) => pattern.test(hash));
  if (found === undefined) {
    const known = schemes.map(({ name }) => name).join(", ");
    throw new GatewayError("GW_PASSWORD_HASH", 500, `the hash is of no known kind (${known})`);
  }
  if (found.isAvailable()) return found;
  throw new GatewayError("GW_PASSWORD_HASH", 500, `Node ${process.version} cannot compute ${found.name} hashes`);
}
