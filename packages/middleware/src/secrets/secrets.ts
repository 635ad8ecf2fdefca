// Secrets of the operator, and the keys made from them: one for each use, so that nothing made for one counts for another.
import { createSecretKey, hkdfSync, type KeyObject } from "node:crypto";
import { GatewayError } from "@gw/core";

/** What keys are made from: the first makes, all are taken. To rotate, put a new one first and drop the old one later. */
export type Secrets = readonly (string | Uint8Array)[];

const MIN_LENGTH = 32;
const KEY_BYTES = 32;

/**
 * A key of 32 bytes from each secret (HKDF, RFC 5869), for one use and purpose.
 *
 * @throws GatewayError `GW_SECRETS` if there is none, or one is shorter than 32 characters or bytes.
 */
export function keysFor(secrets: Secrets, use: string, purpose: string): readonly KeyObject[] {
  if (secrets.length === 0) throw secretsError("at least one secret is needed, found none");
  if (purpose.includes("\0")) throw secretsError("a purpose holds no NUL");
  return secrets.map((secret) => {
    if (secret.length < MIN_LENGTH) {
      throw secretsError(`a secret has at least ${MIN_LENGTH} characters or bytes, found ${secret.length}`);
    }
    // A KeyObject: Node 24 takes ten times as long for a key of bytes, at each use.
    return createSecretKey(Buffer.from(hkdfSync("sha256", secret, "", `gw/1\0${use}\0${purpose}`, KEY_BYTES)));
  });
}

function secretsError(message: string): GatewayError {
  return new GatewayError("GW_SECRETS", 500, `${message}; openssl rand -base64 32 makes a good one`);
}
