// Cookies: read on demand, written with the answer, of requests and sockets alike (R-M6).
import { GatewayError, type Middleware, type RequestHead } from "@gw/core";
import type { Cookies } from "./cookies/jar.ts";
import { jarLayer, jarOf } from "./cookies/jar-layer.ts";
import type { CookieOptions } from "./cookies/write.ts";

export type { Cookies } from "./cookies/jar.ts";
export { findCookie, readCookies } from "./cookies/read.ts";
export { CookieError, type CookieOptions, type SetCookie, writeSetCookie } from "./cookies/write.ts";

/** Settings of `cookies`. */
export interface CookiesOptions {
  /** Attributes of every cookie that `set` is not told otherwise. @default { path: "/", httpOnly: true, sameSite: "lax" } */
  defaults?: Omit<CookieOptions, "maxAge" | "expires">;
}

/**
 * Gives the layers and apps inside it `cookiesOf(request)`.
 *
 * Set-Cookie lines go out on responses and on the accept head of a socket,
 * after those that the app wrote itself, each a line of its own. A request
 * that ends in a thrown error sets none.
 */
export function cookies({ defaults = {} }: CookiesOptions = {}): Middleware {
  return jarLayer({
    name: "cookies",
    enter(request, jar) {
      jar.adopt(defaults);
      return request;
    },
  });
}

/**
 * The cookies of the exchange.
 *
 * @throws GatewayError `GW_NO_COOKIES` without a `cookies()` layer around.
 */
export function cookiesOf(request: RequestHead): Cookies {
  const jar = jarOf(request);
  if (jar !== undefined) return jar;
  throw new GatewayError("GW_NO_COOKIES", 500, "cookiesOf(request) needs the layer cookies() around the app");
}
