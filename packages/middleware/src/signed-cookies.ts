// Cookies that clients can read but not make (R-M7).
import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto";
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
import { keysFor } from "./secrets/secrets.ts";

export type { Cookies } from "./cookies/jar.ts";
export type { CookieOptions } from "./cookies/write.ts";

/** Settings of `signedCookies`. */
export type SignedCookiesOptions = ProtectedCookiesOptions;

const signedKey: StateKey<ProtectedCookies> = stateKey("gw.signed-cookies");

/**
 * Gives the layers and apps inside it `signedCookiesOf(request)`.
 *
 * A signature (HMAC-SHA-256) holds for one name, purpose and time. A cookie without a good one counts as absent. The value
 * can be read by whoever holds the cookie: for secrets use `encryptedCookies`. Makes no promise.
 *
 * @throws GatewayError `GW_SECRETS` for secrets that are too short, or none.
 */
export function signedCookies(options: SignedCookiesOptions): Middleware {
  const { defaults = {} } = options;
  const protection = new Signature(options);
  return jarLayer({
    name: "signedCookies",
    enter: (request, jar) => ({
      ...request,
      state: request.state.with(signedKey, new ProtectedCookies(jar, protection, defaults)),
    }),
  });
}

/**
 * The signed cookies of the exchange: those that are ours, and those to set.
 *
 * @throws GatewayError `GW_NO_COOKIES` without a `signedCookies()` layer around.
 */
export function signedCookiesOf(request: RequestHead): Cookies {
  const signed = request.state.get(signedKey);
  if (signed !== undefined) return signed;
  throw new GatewayError(
    "GW_NO_COOKIES",
    500,
    "signedCookiesOf(request) needs the layer signedCookies() around the app",
  );
}

const SIGNATURE_BYTES = 32;

/** `value.time.signature`; the signature covers the name and what stands before it. */
class Signature implements CookieProtection {
  readonly #keys: readonly KeyObject[];
  readonly #maxAgeMs: number;

  constructor({ secrets, purpose = "", maxAgeMs = PROTECTED_MAX_AGE_MS }: SignedCookiesOptions) {
    this.#keys = keysFor(secrets, "signed cookie", purpose);
    this.#maxAgeMs = maxAgeMs;
  }

  write(name: string, value: string, maxAgeSeconds: number | undefined): string {
    const content = `${encodeURIComponent(value)}.${writeTime(Date.now(), maxAgeSeconds)}`;
    return `${content}.${signatureOf(this.#keys[0] as KeyObject, name, content).toString("base64url")}`;
  }

  read(name: string, text: string): string | null {
    const dot = text.lastIndexOf(".");
    const content = text.slice(0, Math.max(0, dot));
    const signature = Buffer.from(text.slice(dot + 1), "base64url");
    if (signature.length !== SIGNATURE_BYTES) return null;
    if (!this.#keys.some((key) => timingSafeEqual(signature, signatureOf(key, name, content)))) return null;
    const timeAt = content.lastIndexOf(".");
    if (!isInTime(content.slice(timeAt + 1), Date.now(), this.#maxAgeMs)) return null;
    return decodeURIComponent(content.slice(0, timeAt));
  }
}

function signatureOf(key: KeyObject, name: string, content: string): Buffer {
  return createHmac("sha256", key).update(`${name}\0${content}`).digest(); // neither holds a NUL
}
