// Slows down guessing of passwords: per account and address, per address, per account.
import { hash } from "node:crypto";
import {
  type Address,
  type Answer,
  addressKey,
  andThen,
  type Counters,
  createCounters,
  isPromise,
  type Lifecycle,
  type MaybePromise,
} from "@gw/core";
import { refusal } from "../pages/refusal.ts";
import { countersLife } from "./counters-life.ts";
import { waitFor } from "./sliding-window.ts";

/** Failed logins allowed in a sliding window; beyond, the answer is 429 with Retry-After. */
export interface LoginThrottleOptions {
  /** Length of the window, milliseconds. @default 900_000 (15 minutes) */
  windowMs?: number;
  /** For one account from one address. @default 10 */
  perAccountAndAddress?: number;
  /** For all accounts from one address (an IPv6 /64). @default 50 */
  perAddress?: number;
  /** For one account from all addresses. Low values let others lock an account. @default 100 */
  perAccount?: number;
  /** Who counts, for gateways on several machines: `redisCounters({ client })`. @default this gateway, for all of its processes */
  counters?: Counters & Lifecycle;
}

interface Rule {
  readonly key: string;
  readonly limit: number;
}

/** A name and what somebody says to be them with. */
export interface Guess {
  readonly user: string;
  readonly client: Address | null;
  readonly secret: string;
}

/** What became of a guess: it has to wait, or it was checked; `null`: it was wrong. */
export type Checked<T> = { readonly waitMs: number } | { readonly waitMs: null; readonly result: T | null };

/** Counts login attempts. An attempt counts from the start, and is taken back when it succeeds. */
export class LoginThrottle {
  readonly #windowMs: number;
  readonly #limits: readonly [pair: number, address: number, account: number];
  #counters: Counters;
  /** Guesses whose check is under way, by what they are, and how often. */
  readonly #pending: Map<string, number> = new Map();
  /** Of the layer that it works for. */
  readonly life: Pick<Lifecycle, "start" | "stop">;

  constructor(options: LoginThrottleOptions = {}) {
    const { windowMs = 900_000, perAccountAndAddress = 10, perAddress = 50, perAccount = 100 } = options;
    this.#windowMs = windowMs;
    this.#limits = [perAccountAndAddress, perAddress, perAccount];
    this.#counters = options.counters ?? createCounters();
    this.life = countersLife(options.counters, (counters) => this.share(counters));
  }

  /** Counts in these from now on: those of the whole gateway. */
  share(counters: Counters): void {
    this.#counters = counters;
  }

  /**
   * Has a guess checked if there is room for it. Wrong ones count; one that is being checked counts as wrong until it is
   * known to be right, so that many at one time are not more than one after the other (R-M14). The same guess twice at a
   * time, as of a browser with several connections, counts once. A check that throws counts for nothing.
   */
  check<T>(guess: Guess, verify: () => MaybePromise<T | null>): MaybePromise<Checked<T>> {
    const waitMs = this.waitOf(guess.user, guess.client);
    if (isPromise(waitMs))
      return waitMs.then((ms) => (ms === null ? this.#checkPending(guess, verify) : { waitMs: ms }));
    if (waitMs !== null) return { waitMs };
    const result = verify();
    if (isPromise(result)) {
      result.catch(() => {}); // nobody may be waiting for it by then
      return this.#checkPending(guess, () => result);
    }
    if (result !== null) return { waitMs: null, result };
    return andThen(this.begin(guess.user, guess.client), () => ({ waitMs: null, result }));
  }

  async #checkPending<T>(guess: Guess, verify: () => MaybePromise<T | null>): Promise<Checked<T>> {
    const { user, client } = guess;
    const key = guessKey(guess);
    const others = this.#pending.get(key) ?? 0;
    this.#pending.set(key, others + 1);
    let isWrong = false;
    let waitMs: number | null = null;
    try {
      // Nothing is waited for before this: the next guess finds it counted.
      if (others === 0) waitMs = await this.begin(user, client);
      if (waitMs !== null) return { waitMs };
      const result = await verify();
      isWrong = result === null;
      return { waitMs: null, result };
    } finally {
      const left = (this.#pending.get(key) ?? 1) - 1;
      if (left === 0) this.#pending.delete(key);
      else this.#pending.set(key, left);
      if (others === 0 && waitMs === null && !isWrong) await this.takeBack(user, client);
    }
  }

  /** Begins an attempt: `null`, or how many milliseconds to wait. One that must wait is not counted. */
  begin(user: string, client: Address | null): MaybePromise<number | null> {
    return andThen(this.#hitAll(user, client, 1), (waitMs) =>
      waitMs === null ? null : andThen(this.#hitAll(user, client, -1), () => waitMs),
    );
  }

  /** Takes an attempt back: it succeeded, or failed for reasons of our own. */
  takeBack(user: string, client: Address | null): MaybePromise<void> {
    return andThen(this.#hitAll(user, client, -1), () => {});
  }

  /** How many milliseconds to wait before another attempt, or `null`; counts nothing. */
  waitOf(user: string, client: Address | null): MaybePromise<number | null> {
    return this.#hitAll(user, client, 0);
  }

  #hitAll(user: string, client: Address | null, by: number): MaybePromise<number | null> {
    return this.#hit(this.#rulesOf(user, client), 0, by, null);
  }

  #hit(rules: readonly Rule[], at: number, by: number, longestMs: number | null): MaybePromise<number | null> {
    const rule = rules[at];
    if (rule === undefined) return longestMs;
    const reading = this.#counters.hit(rule.key, { windowMs: this.#windowMs, by });
    return andThen(reading, (found) => {
      const waitMs = waitFor(found, rule.limit, this.#windowMs, by === 0);
      const longest = waitMs === null ? longestMs : Math.max(waitMs, longestMs ?? 0);
      return this.#hit(rules, at + 1, by, longest);
    });
  }

  #rulesOf(user: string, client: Address | null): readonly Rule[] {
    const account = accountKey(user);
    const [pair, perAddress, perAccount] = this.#limits;
    const everywhere = { key: `login ${account} *`, limit: perAccount };
    // Clients without an address would all be one: a stranger's guesses must not lock everybody out.
    if (client === null || !("host" in client)) return [everywhere];
    const address = addressKey(client);
    return [
      { key: `login ${account} ${address}`, limit: pair },
      { key: `login * ${address}`, limit: perAddress },
      everywhere,
    ];
  }
}

/** `LoginThrottle.check`, or no limit. */
export function checkGuess<T>(
  limiter: LoginThrottle | null,
  guess: Guess,
  verify: () => MaybePromise<T | null>,
): MaybePromise<Checked<T>> {
  return limiter === null ? andThen(verify(), (result) => ({ waitMs: null, result })) : limiter.check(guess, verify);
}

/** 429 with Retry-After. */
export function tooMany(waitMs: number): Answer {
  return refusal(429, { "Retry-After": String(Math.ceil(waitMs / 1_000)) });
}

function guessKey({ user, client, secret }: Guess): string {
  const address = client === null || !("host" in client) ? "" : addressKey(client);
  return hash("sha256", JSON.stringify([user, address, secret]), "base64url");
}

// Spellings that some user directories take for one name count as one; the digest bounds the length.
function accountKey(user: string): string {
  return hash("sha256", user.normalize("NFKC").trim().toLowerCase(), "base64url").slice(0, 22);
}
