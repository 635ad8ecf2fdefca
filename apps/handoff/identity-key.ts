// The key that both gateways of the sample share; without one from outside, one that lives as long as the process.
import { randomBytes } from "node:crypto";

const drawn = randomBytes(32).toString("hex");

/** `HANDOFF_SECRET`, or a key of this process. */
export function identityKey(): { id: string; secret: string } {
  return { id: "one", secret: process.env.HANDOFF_SECRET ?? drawn };
}
