// Two secrets compared in a time that tells nothing of them.
import { createHmac, createSecretKey, randomBytes, timingSafeEqual } from "node:crypto";

const key = createSecretKey(randomBytes(32)); // Node 24 takes far longer for a key of bytes, at each use

/** Whether two texts are the same, whatever their lengths. */
export function equalSecrets(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other));
}

function digest(value: string): Buffer {
  return createHmac("sha256", key).update(value).digest();
}
