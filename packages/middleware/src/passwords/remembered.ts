// Recent successes: so that a client which sends its password with each request does not cost a slow hash each time.
import { hash as digestOf, randomBytes } from "node:crypto";
import { isPromise, type MaybePromise } from "@gw/core";

const TIME_MS = 60_000;
const MAX_ENTRIES = 1_000;

/**
 * Remembers for a minute which name, password and hash fitted together.
 *
 * It holds keyed digests only, made with a key that never leaves the process;
 * failures are not remembered. A changed hash is another entry, so a reload
 * needs no clearing.
 */
export class RememberedSuccesses {
  readonly #key: string = randomBytes(32).toString("base64");
  readonly #until: Map<string, number> = new Map();
  readonly #pending: Map<string, Promise<boolean>> = new Map();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Whether the three fit: remembered, or as `verify` says. Equal questions at one time are asked once. */
  check(user: string, password: string, hash: string, verify: () => MaybePromise<boolean>): MaybePromise<boolean> {
    const entry = this.#entryOf(user, password, hash);
    if (this.#has(entry)) return true;
    const pending = this.#pending.get(entry);
    if (pending !== undefined) return pending;
    const verified = verify();
    if (!isPromise(verified)) return this.#note(entry, verified);
    const noted = verified.then((isRight) => this.#note(entry, isRight)).finally(() => this.#pending.delete(entry));
    this.#pending.set(entry, noted);
    return noted;
  }

  #entryOf(user: string, password: string, hash: string): string {
    // Lengths first: no two different triples make one text.
    const text = `${this.#key}${user.length}:${password.length}:${user}${password}${hash}`;
    return digestOf("sha256", text, "base64");
  }

  #has(entry: string): boolean {
    const until = this.#until.get(entry);
    if (until === undefined) return false;
    if (until > this.#now()) return true;
    this.#until.delete(entry);
    return false;
  }

  #note(entry: string, isRight: boolean): boolean {
    if (!isRight) return false;
    const [oldest] = this.#until.size >= MAX_ENTRIES ? this.#until.keys() : [];
    if (oldest !== undefined) this.#until.delete(oldest);
    this.#until.set(entry, this.#now() + TIME_MS);
    return true;
  }
}
