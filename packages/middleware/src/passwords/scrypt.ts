// scrypt (RFC 7914) as a PHC string: `$scrypt$ln=15,r=8,p=3$<salt>$<hash>`. Every Node has it.
import { randomBytes, scrypt, scryptSync, timingSafeEqual } from "node:crypto";
import { GatewayError, type MaybePromise } from "@gw/core";
import { type PhcHash, parsePhc, writePhc } from "./phc.ts";

// OWASP's equal of 128 MiB in one lane: 32 MiB, three times.
const COST = { ln: 15, r: 8, p: 3 } as const;
const MAX_BYTES = 268_435_456; // what a hash file may ask of us

/** A new scrypt hash as a PHC string. */
export async function hashScrypt(password: string): Promise<string> {
  const phc: PhcHash = {
    id: "scrypt",
    version: null,
    parameters: COST,
    salt: randomBytes(16),
    hash: new Uint8Array(32),
  };
  return writePhc({ ...phc, hash: await derive(password, phc, false) });
}

/**
 * Whether a password has this hash.
 *
 * @throws GatewayError `GW_PASSWORD_HASH` for a malformed hash.
 */
export function verifyScrypt(password: string, text: string, isBlocking: boolean): MaybePromise<boolean> {
  const phc = parsePhc(text);
  const { ln = 0, r = 0, p = 0 } = phc.parameters;
  const isSound = ln >= 1 && ln < 32 && r >= 1 && p >= 1 && p <= 64 && 128 * r * 2 ** ln <= MAX_BYTES;
  if (!isSound || phc.hash.length < 16) {
    throw new GatewayError("GW_PASSWORD_HASH", 500, "a scrypt hash has parameters outside our limits");
  }
  const derived = derive(password, phc, isBlocking);
  return derived instanceof Promise
    ? derived.then((hash) => timingSafeEqual(hash, phc.hash))
    : timingSafeEqual(derived, phc.hash);
}

function derive(password: string, { parameters, salt, hash }: PhcHash, isBlocking: boolean): MaybePromise<Uint8Array> {
  const { ln = 0, r = 0, p = 0 } = parameters;
  const cost = { N: 2 ** ln, r, p, maxmem: 2 * MAX_BYTES };
  if (isBlocking) return scryptSync(password, salt, hash.length, cost);
  return new Promise((resolve, reject) => {
    scrypt(password, salt, hash.length, cost, (error, derived) => (error === null ? resolve(derived) : reject(error)));
  });
}
