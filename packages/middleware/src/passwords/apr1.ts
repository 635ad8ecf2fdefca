// Apache's MD5 scheme `$apr1$`: a thousand rounds of MD5, for htpasswd files that still hold it.
import { createHash, timingSafeEqual } from "node:crypto";

const ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const MAGIC = "$apr1$";
const ROUNDS = 1_000;
// Which digest bytes make each group of four characters (apr_md5.c).
const GROUPS = [
  [0, 6, 12],
  [1, 7, 13],
  [2, 8, 14],
  [3, 9, 15],
  [4, 10, 5],
] as const;

/** Whether a password has this `$apr1$salt$hash`. */
export function verifyApr1(password: string, text: string): boolean {
  const [, , salt = "", given = ""] = text.split("$");
  const expected = hashApr1(password, salt.slice(0, 8));
  return given.length === expected.length && timingSafeEqual(Buffer.from(given), Buffer.from(expected));
}

/** The 22 characters after the salt. */
function hashApr1(password: string, salt: string): string {
  const secret = Buffer.from(password, "utf8");
  const inner = md5(secret, salt, secret);
  const parts: (Uint8Array | string)[] = [secret, MAGIC, salt];
  for (let left = secret.length; left > 0; left -= 16) parts.push(inner.subarray(0, Math.min(16, left)));
  // The original tests the bits of the length and, by mistake, adds a zero byte or the first letter.
  for (let bits = secret.length; bits > 0; bits >>= 1) parts.push((bits & 1) === 1 ? "\0" : secret.subarray(0, 1));
  let digest = md5(...parts);
  for (let round = 0; round < ROUNDS; round++) digest = stretch(digest, secret, salt, round);
  return encode(digest);
}

function stretch(digest: Uint8Array, secret: Uint8Array, salt: string, round: number): Buffer {
  const isOdd = round % 2 === 1;
  return md5(
    isOdd ? secret : digest,
    round % 3 === 0 ? "" : salt,
    round % 7 === 0 ? "" : secret,
    isOdd ? digest : secret,
  );
}

function encode(digest: Uint8Array): string {
  const at = (index: number): number => digest[index] as number;
  const groups = GROUPS.map(([a, b, c]) => letters((at(a) << 16) | (at(b) << 8) | at(c), 4));
  return groups.join("") + letters(at(11), 2);
}

function letters(value: number, count: number): string {
  let text = "";
  for (let rest = value; text.length < count; rest >>= 6) text += ALPHABET[rest & 63];
  return text;
}

function md5(...parts: readonly (Uint8Array | string)[]): Buffer {
  const hash = createHash("md5");
  for (const part of parts) hash.update(part);
  return hash.digest();
}
