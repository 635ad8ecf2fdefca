// Cookies of one exchange whose values are signed or encrypted on the way out and checked on the way in.
import type { CookieJar, Cookies } from "./jar.ts";
import { findCookies } from "./read.ts";
import { CookieError, type CookieOptions } from "./write.ts";

/** Turns values into texts that clients cannot make, and back. The name is part of both. */
export interface CookieProtection {
  /** A text of cookie-octets. */
  write(name: string, value: string, maxAgeSeconds: number | undefined): string;
  /** The value, or `null` if the text is not ours, is another cookie's, or is too old. */
  read(name: string, text: string): string | null;
}

/** Settings of a layer that protects cookies. */
export interface ProtectedCookiesOptions {
  /** What keys are made from, each at least 32 characters or bytes: the first makes, all are taken. Keep them secret. */
  secrets: readonly (string | Uint8Array)[];
  /** What the cookies are for. Cookies made for another purpose count as absent, also with the same secrets. @default "" */
  purpose?: string;
  /** Cookies made longer ago count as absent, milliseconds. @default 2_592_000_000 (30 days) */
  maxAgeMs?: number;
  /** Attributes of every cookie that `set` is not told otherwise. @default { path: "/", httpOnly: true, sameSite: "lax" } */
  defaults?: Omit<CookieOptions, "maxAge" | "expires" | "encode">;
}

/** The default of `maxAgeMs`. */
export const PROTECTED_MAX_AGE_MS = 2_592_000_000;

/** The Cookies of one exchange behind a protection. Only what the protection accepts is there. */
export class ProtectedCookies implements Cookies {
  readonly #jar: CookieJar;
  readonly #protection: CookieProtection;
  readonly #defaults: CookieOptions;

  constructor(jar: CookieJar, protection: CookieProtection, defaults: CookieOptions) {
    this.#jar = jar;
    this.#protection = protection;
    this.#defaults = defaults;
  }

  get(name: string): string | null {
    // Other hosts of a domain can plant cookies of any name before ours: the first that is ours counts.
    for (const text of findCookies(this.#jar.header, name)) {
      const value = this.#protection.read(name, text);
      if (value !== null) return value;
    }
    return null;
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  all(): ReadonlyMap<string, string> {
    const values = new Map<string, string>();
    for (const name of this.#jar.all().keys()) {
      const value = this.get(name);
      if (value !== null) values.set(name, value);
    }
    return values;
  }

  set(name: string, value: string, options: CookieOptions = {}): void {
    if (!isWellFormed(value)) throw new CookieError(`cookie ${name}: the value is no well-formed text`);
    const text = this.#protection.write(name, value, secondsOf(options));
    this.#jar.put(name, text, { ...this.#defaults, ...options, encode: "none" });
  }

  delete(name: string, options: Pick<CookieOptions, "path" | "domain" | "secure" | "partitioned"> = {}): void {
    this.#jar.put(name, "", { ...this.#defaults, ...options, maxAge: 0, expires: new Date(0) });
  }
}

function secondsOf({ maxAge, expires }: CookieOptions): number | undefined {
  if (maxAge !== undefined || expires === undefined) return maxAge;
  return Math.max(0, Math.ceil((expires.getTime() - Date.now()) / 1_000));
}

const LONE_SURROGATE = /\p{Surrogate}/u;

function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}
