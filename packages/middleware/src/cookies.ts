// Cookies: read on demand, written with the answer, of requests and sockets alike (R-M6).
import { GatewayError, layer, type Middleware, type RequestHead, type StateKey, stateKey } from "@gw/core";
import { CookieJar, type Cookies } from "./cookies/jar.ts";
import type { CookieOptions } from "./cookies/write.ts";
import { isThrown } from "./pages/thrown.ts";

export type { Cookies } from "./cookies/jar.ts";
export { findCookie, readCookies } from "./cookies/read.ts";
export { CookieError, type CookieOptions, type SetCookie, writeSetCookie } from "./cookies/write.ts";

const jarKey: StateKey<CookieJar> = stateKey("gw.cookies");

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
  return layer({
    name: "cookies",
    onRequest(request) {
      const found = request.state.get(jarKey);
      if (found !== undefined) {
        found.enter(); // a dispatch inside the same exchange
        return request;
      }
      return { ...request, state: request.state.with(jarKey, new CookieJar(request, defaults).enter()) };
    },
    onResponse: (answer, request) => (request.state.get(jarKey) as CookieJar).leave(answer, isThrown(answer, request)),
    onError(error, request) {
      request.state.get(jarKey)?.fail();
      throw error;
    },
  });
}

/**
 * The cookies of the exchange.
 *
 * @throws GatewayError `GW_NO_COOKIES` without a `cookies()` layer around.
 */
export function cookiesOf(request: RequestHead): Cookies {
  const jar = request.state.get(jarKey);
  if (jar !== undefined) return jar;
  throw new GatewayError("GW_NO_COOKIES", 500, "cookiesOf(request) needs the layer cookies() around the app");
}
