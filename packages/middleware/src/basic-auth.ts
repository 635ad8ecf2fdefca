// HTTP Basic authentication (RFC 7617): a name and password with each request becomes the principal.
import {
  type Answer,
  andThen,
  type GatewayRequest,
  type HeaderList,
  layer,
  type Middleware,
  toBytes,
  withPrincipal,
} from "@gw/core";
import { refusal } from "./pages/refusal.ts";
import { type AccountsOptions, accountsOf } from "./passwords/accounts.ts";
import { checkGuess, LoginThrottle, type LoginThrottleOptions, tooMany } from "./rate/login-throttle.ts";

export type { Account, AccountsOptions, UserEntry, VerifyPassword } from "./passwords/accounts.ts";
export type { LoginThrottleOptions } from "./rate/login-throttle.ts";

/** Settings of `basicAuth`. */
export interface BasicAuthOptions extends AccountsOptions {
  /** Shown by browsers, and the area for which they send the password again. Text. @default "Restricted" */
  realm?: string;
  /** Failed attempts allowed, counted in this process; `false`: any number. @default { windowMs: 900_000, perAccountAndAddress: 10, perAddress: 50, perAccount: 100 } */
  throttle?: LoginThrottleOptions | false;
}

/** A name and password as sent. Text. */
export interface BasicCredentials {
  readonly user: string;
  readonly password: string;
}

/**
 * Lets through requests and sockets with a right name and password, as principal of type `"Basic"`; answers 401 to others.
 *
 * The `Authorization` field does not go on to the app (R-C6). Several of them,
 * control characters, and bytes that are not UTF-8 are refused.
 */
export function basicAuth(options: BasicAuthOptions): Middleware {
  const { realm = "Restricted", throttle = {} } = options;
  const accounts = accountsOf(options);
  const limiter = throttle === false ? null : new LoginThrottle(throttle);
  const isShared = throttle !== false && throttle.counters !== undefined; // else per process: workers stay sync
  const denied = refusal(401, { "WWW-Authenticate": challenge(realm) });
  const ambiguous = refusal(400);
  return layer({
    name: "basicAuth",
    async start(context) {
      if (isShared) await limiter?.life.start?.(context);
      await accounts.start?.(context);
    },
    stop: (deadline) => limiter?.life.stop?.(deadline),
    ...(accounts.reload && { reload: accounts.reload }),
    onRequest(request) {
      const found = parseBasic(request.headers);
      if (found === null) return denied;
      if (found === "ambiguous") return ambiguous;
      const guess = { user: found.user, client: request.client, secret: found.password };
      const verify = () => accounts.check(found.user, found.password, request);
      return andThen(checkGuess(limiter, guess, verify), (checked): GatewayRequest | Answer => {
        if (checked.waitMs !== null) return tooMany(checked.waitMs);
        if (checked.result !== null) {
          return withPrincipal(withoutAuthorization(request), { ...checked.result, type: "Basic" });
        }
        request.exchange.log.info({ user: found.user, client: request.client }, "a Basic login failed");
        return denied;
      });
    },
  });
}

/**
 * The credentials of a request: `null` without any, or with some that are not sound; `"ambiguous"` with several.
 *
 * The first colon ends the name. Both are UTF-8 without control characters (RFC 7617 §2); an empty name is none.
 */
export function parseBasic(headers: HeaderList): BasicCredentials | "ambiguous" | null {
  const values = headers.getAll("authorization");
  if (values.length > 1) return "ambiguous";
  const token = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(values[0] ?? "")?.[1];
  if (token === undefined) return null;
  let pair: string;
  try {
    pair = decoder.decode(Buffer.from(token, "base64"));
  } catch {
    return null;
  }
  const colon = pair.indexOf(":");
  if (colon < 1 || /[\u0000-\u001f\u007f-\u009f]/.test(pair)) return null;
  return { user: pair.slice(0, colon), password: pair.slice(colon + 1) };
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A copy of the request whose credentials end here. */
export function withoutAuthorization<R extends GatewayRequest>(request: R): R {
  return { ...request, headers: request.headers.without("authorization") };
}

function challenge(realm: string): string {
  return toBytes(`Basic realm="${realm.replace(/["\\]/g, "\\$&")}", charset="UTF-8"`);
}
