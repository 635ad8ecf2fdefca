// Bearer tokens (RFC 6750): a token with each request becomes the principal.
import {
  type Answer,
  andThen,
  GatewayError,
  type GatewayRequest,
  type HeaderList,
  type Lifecycle,
  layer,
  type MaybePromise,
  type Middleware,
  type Principal,
  withPrincipal,
} from "@gw/core";
import { withoutAuthorization } from "./basic-auth.ts";
import { type KeyOwner, type KeysOptions, ownerFinder } from "./keys/key-table.ts";
import { refusal } from "./pages/refusal.ts";

export { hashKey, type KeyOwner, type KeysOptions, newKey } from "./keys/key-table.ts";

/** Settings of `bearerAuth`: give exactly one of `verify`, `keys` and `find`. */
export interface BearerAuthOptions extends KeysOptions {
  /** Says whose a token is, or `null`. */
  verify?: (token: string, request: GatewayRequest) => MaybePromise<KeyOwner | null>;
  /** The area of the tokens, printable ASCII. @default "Restricted" */
  realm?: string;
}

/**
 * Lets through requests and sockets with a valid token in `Authorization`, as principal of type `"Bearer"`.
 *
 * 401 to others, with `error="invalid_token"` if there was a token; 400 to several `Authorization` fields. The field does
 * not go on to the app (R-C6). Tokens in queries and forms (RFC 6750 §2.2, §2.3) do not count.
 *
 * @throws GatewayError `GW_KEYS` unless exactly one source of tokens is given.
 */
export function bearerAuth(options: BearerAuthOptions): Middleware {
  const ownerOf = bearerFinder(options);
  return bearerLayer("bearerAuth", options.realm, (token, request) =>
    andThen(ownerOf(token, request), (owner) => (owner === null ? null : { ...owner, type: "Bearer" })),
  );
}

/** A layer that asks for a bearer token and lets a function say whose it is. */
export function bearerLayer(
  name: string,
  realm: string | undefined,
  principalOf: (token: string, request: GatewayRequest) => MaybePromise<Principal | null>,
  { start, status }: Lifecycle = {},
): Middleware {
  const { missing, invalid, ambiguous } = bearerRefusals(realm);
  return layer({
    name,
    ...(start && { start }),
    ...(status && { status }),
    onRequest(request): MaybePromise<GatewayRequest | Answer> {
      const found = parseBearer(request.headers);
      if (found === null) return missing;
      if (found === "ambiguous") return ambiguous;
      if (found === "malformed") return invalid;
      return andThen(principalOf(found.token, request), (principal) =>
        principal === null ? invalid : withPrincipal(withoutAuthorization(request), principal),
      );
    },
  });
}

/** The token of a request; `null` without one, `"malformed"` for what is no token, `"ambiguous"` for several fields. */
export function parseBearer(headers: HeaderList): { readonly token: string } | "ambiguous" | "malformed" | null {
  const values = headers.getAll("authorization");
  if (values.length > 1) return "ambiguous";
  const given = values[0];
  if (given === undefined || !/^bearer(?: |$)/i.test(given)) return null;
  const token = /^bearer +([A-Za-z0-9\-._~+/]+=*) *$/i.exec(given)?.[1]; // RFC 6750 §2.1
  return token === undefined ? "malformed" : { token };
}

function bearerRefusals(realm = "Restricted"): Record<"missing" | "invalid" | "ambiguous", Answer> {
  if (!/^[\u0020\u0021\u0023-\u005b\u005d-\u007e]*$/.test(realm)) {
    throw new GatewayError("GW_KEYS", 500, "a Bearer realm is printable ASCII without quotes and backslashes");
  }
  const challenge = `Bearer realm="${realm}"`;
  return {
    missing: refusal(401, { "WWW-Authenticate": challenge }),
    invalid: refusal(401, { "WWW-Authenticate": `${challenge}, error="invalid_token"` }),
    ambiguous: refusal(400, { "WWW-Authenticate": `${challenge}, error="invalid_request"` }),
  };
}

function bearerFinder(options: BearerAuthOptions): ReturnType<typeof ownerFinder> {
  const { verify, keys, find } = options;
  if (verify === undefined) return ownerFinder(options);
  if (keys !== undefined || find !== undefined) {
    throw new GatewayError("GW_KEYS", 500, "give exactly one of the options verify, keys and find");
  }
  return (token, request) =>
    andThen(verify(token, request), (owner) => {
      if (owner === null || owner.user === "") return null;
      const { user, groups = [], claims = {} } = owner;
      return { user, groups, claims };
    });
}
