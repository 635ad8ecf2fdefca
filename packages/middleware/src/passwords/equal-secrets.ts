// Two secrets compared in a time that tells nothing of them.
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

const key = randomBytes(32);

/** Whether two texts are the same, whatever their lengths. */
export function equalSecrets(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other));
}

function digest(value: string): Buffer {
  return createHmac("sha256", key).update(value).digest();
}
