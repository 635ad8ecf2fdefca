// Cookies that clients can neither read nor make (R-M7).
import { GatewayError, type Middleware, type RequestHead, type StateKey, stateKey } from "@gw/core";
import type { Cookies } from "./cookies/jar.ts";
import { jarLayer } from "./cookies/jar-layer.ts";
import { isInTime, writeTime } from "./cookies/lifetime.ts";
import {
  type CookieProtection,
  PROTECTED_MAX_AGE_MS,
  ProtectedCookies,
  type ProtectedCookiesOptions,
} from "./cookies/protected.ts";
import { Sealer } from "./secrets/sealer.ts";

export type { Cookies } from "./cookies/jar.ts";
export type { CookieOptions } from "./cookies/write.ts";

/** Settings of `encryptedCookies`. */
export type EncryptedCookiesOptions = ProtectedCookiesOptions;

const encryptedKey: StateKey<ProtectedCookies> = stateKey("gw.encrypted-cookies");

/**
 * Gives the layers and apps inside it `encryptedCookiesOf(request)`.
 *
 * AES-256-GCM under a key of its own for each value, bound to name, purpose and time. What does not open counts as absent.
 * The length of a value shows. Makes no promise.
 *
 * @throws GatewayError `GW_SECRETS` for secrets that are too short, or none.
 */
export function encryptedCookies(options: EncryptedCookiesOptions): Middleware {
  const { defaults = {} } = options;
  const protection = new Encryption(options);
  return jarLayer({
    name: "encryptedCookies",
    enter: (request, jar) => ({
      ...request,
      state: request.state.with(encryptedKey, new ProtectedCookies(jar, protection, defaults)),
    }),
  });
}

/**
 * The encrypted cookies of the exchange: those that are ours, and those to set.
 *
 * @throws GatewayError `GW_NO_COOKIES` without an `encryptedCookies()` layer around.
 */
export function encryptedCookiesOf(request: RequestHead): Cookies {
  const encrypted = request.state.get(encryptedKey);
  if (encrypted !== undefined) return encrypted;
  throw new GatewayError(
    "GW_NO_COOKIES",
    500,
    "encryptedCookiesOf(request) needs the layer encryptedCookies() around the app",
  );
}

/** Sealed: the time, a dot, the value. */
class Encryption implements CookieProtection {
  readonly #sealer: Sealer;
  readonly #maxAgeMs: number;

  constructor({ secrets, purpose = "", maxAgeMs = PROTECTED_MAX_AGE_MS }: EncryptedCookiesOptions) {
    this.#sealer = new Sealer(secrets, "encrypted cookie", purpose);
    this.#maxAgeMs = maxAgeMs;
  }

  write(name: string, value: string, maxAgeSeconds: number | undefined): string {
    return this.#sealer.seal(name, Buffer.from(`${writeTime(Date.now(), maxAgeSeconds)}.${value}`));
  }

  read(name: string, text: string): string | null {
    const opened = this.#sealer.open(name, text)?.toString();
    if (opened === undefined) return null;
    const dot = opened.indexOf(".");
    return isInTime(opened.slice(0, dot), Date.now(), this.#maxAgeMs) ? opened.slice(dot + 1) : null;
  }
}
