// A session's secret, and the texts under which pages carry it.
import { randomBytes, timingSafeEqual } from "node:crypto";

/** Where a session keeps its secret. */
export const SECRET_KEY = "_csrf";

const SECRET_BYTES = 18;

/** A fresh secret. */
export function newSecret(): Buffer {
  return randomBytes(SECRET_BYTES);
}

/** The secret that a session's value holds, or `null`. */
export function secretOf(value: unknown): Buffer | null {
  if (typeof value !== "string") return null;
  const bytes = Buffer.from(value, "base64url");
  return bytes.length === SECRET_BYTES ? bytes : null;
}

/** The secret under a fresh mask: no two pages hold the same text, so compressed lengths tell nothing (BREACH). */
export function tokenOf(secret: Buffer): string {
  const mask = randomBytes(SECRET_BYTES);
  return Buffer.concat([mask, xor(mask, secret)]).toString("base64url");
}

/** Whether a text is a token of this secret; as fast for a wrong one. */
export function isTokenOf(secret: Buffer, token: string): boolean {
  if (!/^[A-Za-z0-9_-]{48}$/.test(token)) return false;
  const bytes = Buffer.from(token, "base64url");
  return timingSafeEqual(xor(bytes.subarray(0, SECRET_BYTES), bytes.subarray(SECRET_BYTES)), secret);
}

function xor(one: Buffer, other: Buffer): Buffer {
  return Buffer.from(one.map((byte, at) => byte ^ (other[at] as number)));
}
