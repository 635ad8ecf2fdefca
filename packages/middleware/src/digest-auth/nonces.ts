// Nonces that prove themselves, and counts that count once (RFC 7616 §5.5, §5.12).
import { createHmac, randomBytes } from "node:crypto";
import { andThen, type Counters, createCounters, type MaybePromise } from "@gw/core";
import { equalSecrets } from "../passwords/equal-secrets.ts";

/** Makes nonces from a key and the time, and tells its own from others'. */
export class Nonces {
  readonly #key: Uint8Array | string;
  readonly #lifeMs: number;
  readonly #now: () => number;
  #counters: Counters = createCounters();

  constructor({ key, lifeMs, now = Date.now }: { key?: string | undefined; lifeMs: number; now?: () => number }) {
    this.#key = key ?? randomBytes(32);
    this.#lifeMs = lifeMs;
    this.#now = now;
  }

  /** Counts in these from now on: those of the whole gateway. */
  share(counters: Counters): void {
    this.#counters = counters;
  }

  /** A new nonce. */
  make(): string {
    const plain = `${this.#now().toString(36)}.${randomBytes(12).toString("base64url")}`;
    return `${plain}.${this.#sign(plain)}`;
  }

  /** Whether the nonce is ours and not too old. */
  isFresh(nonce: string): boolean {
    const match = /^(([0-9a-z]{1,10})\.[A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{43})$/.exec(nonce);
    if (match === null || !equalSecrets(match[3] as string, this.#sign(match[1] as string))) return false;
    const age = this.#now() - Number.parseInt(match[2] as string, 36);
    return age >= 0 && age < this.#lifeMs;
  }

  /** Uses a nonce with a count: false if that was done before. */
  use(nonce: string, nc: string): MaybePromise<boolean> {
    // A count that was used in the window before still shows, and a nonce does not outlive one window.
    const reading = this.#counters.hit(`digest ${nonce} ${nc}`, { windowMs: this.#lifeMs });
    return andThen(reading, ({ count, previous }) => count + previous === 1);
  }

  #sign(plain: string): string {
    return createHmac("sha256", this.#key).update(plain).digest("base64url");
  }
}
