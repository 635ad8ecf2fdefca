// Session ids: what the browser holds, and the key that the store knows (R-M8).
import { hash, randomBytes } from "node:crypto";

const ID_BYTES = 16; // 128 bits
const TOKEN = /^[A-Za-z0-9_-]{22}$/;

/** A new random id: 128 bits, base64url. */
export function newToken(): string {
  return randomBytes(ID_BYTES).toString("base64url");
}

/** Whether a cookie value has the form of an id. */
export function isToken(value: string): boolean {
  return TOKEN.test(value);
}

/** The store's key of an id: its SHA-256, hexadecimal. */
export function keyOf(token: string): string {
  return hash("sha256", token, "hex");
}
