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

/** Kinds of hashes that we do not compute, as messages name them. */
const FOREIGN: readonly (readonly [pattern: RegExp, name: string])[] = [
  [
    /^[./0-9A-Za-z]{13}$/,
    "13 characters as crypt(3) writes them: a DES hash, which counts only 8 characters of a password",
  ],
  [/^_[./0-9A-Za-z]{19}$/, "a hash by crypt(3): BSDi DES"],
  [/^\$1\$/, "a hash by crypt(3): MD5"],
  [/^\$5\$/, "a hash by crypt(3): SHA-256"],
  [/^\$6\$/, "a hash by crypt(3): SHA-512"],
  [/^\$(?:y|gy|7)\$/, "a hash by crypt(3): yescrypt"],
  [/^\$[a-z0-9-]+\$/, "what looks like another hash"],
  [/^\{[A-Za-z0-9-]+\}/, "what looks like a hash of LDAP"],
];

/**
 * What kind of hash a text is that we cannot check; `null`: it looks like none.
 *
 * Such a hash must not become a password, whoever has read the file could log in with it (R-M2). A password in plain text
 * that has the shape of a DES hash is refused with it.
 */
export function foreignScheme(hash: string): string | null {
  return FOREIGN.find(([pattern]) => pattern.test(hash))?.[1] ?? null;
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
    const what = foreignScheme(hash) ?? "a text of no known kind";
    throw new GatewayError("GW_PASSWORD_HASH", 500, `expected a hash by ${known}; found ${what}`);
  }
  if (found.isAvailable()) return found;
  throw new GatewayError("GW_PASSWORD_HASH", 500, `Node ${process.version} cannot compute ${found.name} hashes`);
}
