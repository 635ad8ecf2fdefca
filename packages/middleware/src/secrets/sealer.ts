// Bytes that only we can read and make: AES-256-GCM under a key of its own for each text.
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from "node:crypto";
import { keysFor, type Secrets } from "./secrets.ts";

const FORM = 1;
const SALT_BYTES = 16;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + SALT_BYTES;
const SEALED = /^[A-Za-z0-9_-]+$/;
const FORM_CHARS = /^A[Q-Za-f]/; // what FORM, the first byte, is in base64url

/** How many characters sealing makes of so many bytes. */
export function sealedLength(bytes: number): number {
  return Math.ceil(((HEAD_BYTES + bytes + TAG_BYTES) * 4) / 3);
}

/** Whether text has the form of sealed bytes; opening it says whether they are ours. */
export function isSealedForm(text: string): boolean {
  return FORM_CHARS.test(text) && text.length >= sealedLength(0) && SEALED.test(text);
}

/**
 * Seals bytes under a label, and opens them under the same one.
 *
 * Key and nonce come from a salt of 128 random bits, by HMAC: random nonces of GCM alone would allow no more than 2³²
 * texts per key (NIST SP 800-38D §8.3).
 */
export class Sealer {
  readonly #keys: readonly KeyObject[];

  /** @throws GatewayError `GW_SECRETS` for secrets that are too short, or none. */
  constructor(secrets: Secrets, use: string, purpose: string) {
    this.#keys = keysFor(secrets, use, purpose);
  }

  /** The bytes sealed, as base64url. */
  seal(label: string, bytes: Uint8Array): string {
    const salt = randomBytes(SALT_BYTES);
    const cipher = createCipheriv("aes-256-gcm", ...keyAndNonce(this.#keys[0] as KeyObject, salt));
    cipher.setAAD(Buffer.from(label));
    const sealed = [cipher.update(bytes), cipher.final()];
    return Buffer.concat([Buffer.of(FORM), salt, ...sealed, cipher.getAuthTag()]).toString("base64url");
  }

  /** The bytes that were sealed under this label by one of our secrets; `null` for anything else. */
  open(label: string, text: string): Buffer | null {
    if (!SEALED.test(text)) return null;
    const bytes = Buffer.from(text, "base64url");
    if (bytes.length < HEAD_BYTES + TAG_BYTES || bytes[0] !== FORM) return null;
    for (const key of this.#keys) {
      const opened = openWith(key, label, bytes);
      if (opened !== null) return opened;
    }
    return null;
  }
}

function openWith(secretKey: KeyObject, label: string, bytes: Buffer): Buffer | null {
  const [key, nonce] = keyAndNonce(secretKey, bytes.subarray(1, HEAD_BYTES));
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(label));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(HEAD_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    return null; // not ours, or changed
  }
}

function keyAndNonce(secretKey: KeyObject, salt: Buffer): [key: KeyObject, nonce: Buffer] {
  const bytes = createHmac("sha512", secretKey).update(salt).digest();
  return [createSecretKey(bytes.subarray(0, KEY_BYTES)), bytes.subarray(KEY_BYTES, KEY_BYTES + NONCE_BYTES)];
}
