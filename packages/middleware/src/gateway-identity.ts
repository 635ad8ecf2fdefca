// One gateway tells another who the user is, in a signed field that counts once, there only, and for a moment only.
import {
  andThen,
  type Counters,
  createCounters,
  GatewayError,
  type GatewayRequest,
  isIdentityHeader,
  isToken,
  layer,
  type MaybePromise,
  type Middleware,
  type Principal,
  scrubIdentity,
  withPrincipal,
} from "@gw/core";
import { type IdentityKey, type ReadyKey, readyKeys } from "./gateway-identity/keys.ts";
import { readIdentity, writeIdentity } from "./gateway-identity/token.ts";
import { refusal } from "./pages/refusal.ts";

export type { IdentityKey } from "./gateway-identity/keys.ts";

/** What both gateways are told. */
export interface IdentityOptions {
  /** The keys: the first one signs, all of them verify. To change keys, add the new one to the receiver first. */
  keys: readonly IdentityKey[];
  /** Name of the gateway that sends. */
  issuer: string;
  /** Name of the one that receives: an identity for another one does not count. */
  audience: string;
  /** Field that carries the identity. @default "Gateway-Identity" */
  header?: string;
}

/** Settings of `signIdentity`. */
export interface SignIdentityOptions extends IdentityOptions {
  /** How long an identity counts, milliseconds. @default 30_000 */
  lifetimeMs?: number;
  /** Claims that are sent along; what is sent can be read by whoever sees the request. @default none */
  claims?: readonly string[];
}

/** Settings of `gatewayIdentity`. */
export interface GatewayIdentityOptions extends IdentityOptions {
  /** Longest life of an identity that is taken, milliseconds. @default 60_000 */
  maxLifetimeMs?: number;
  /** Tolerance for clocks that differ, milliseconds, 60_000 at most. @default 5_000 */
  clockSkewMs?: number;
}

const HEADER = "Gateway-Identity";
const MAX_SKEW_MS = 60_000;

/**
 * Sends the user of each request on to what is inside, signed: put it directly around `proxy()`.
 *
 * Whatever a client sends in the field is removed, in every spelling. A request without a user goes on without the field.
 *
 * @throws GatewayError `GW_GATEWAY_IDENTITY` for settings that cannot be, or a first key that cannot sign.
 */
export function signIdentity(options: SignIdentityOptions): Middleware {
  const { issuer, audience, lifetimeMs = 30_000, claims = [] } = options;
  const names = checkedNames(options);
  const [key] = readyKeys(options.keys);
  if (!canSign(key)) throw bad("the first key cannot sign");
  if (!(lifetimeMs > 0)) throw bad("lifetimeMs is a time in milliseconds");
  return layer({
    name: "signIdentity",
    onRequest(request) {
      const headers = scrubIdentity(request.headers, names);
      if (request.principal === null) return { ...request, headers };
      const principal = withClaims(request.principal, claims);
      const identity = writeIdentity(key, { principal, issuer, audience, lifetimeMs, nowMs: Date.now() });
      return { ...request, headers: headers.append(names[0] as string, identity) };
    },
  });
}

/**
 * Takes the user from the gateway in front.
 *
 * The field never goes on to the app. Everybody passes without it: `requireUser` inside says who needs a user. One that
 * is not right, was meant for somebody else, is too old or comes a second time is 401; two are 400. Makes no promise,
 * unless several processes count together.
 *
 * @throws GatewayError `GW_GATEWAY_IDENTITY` for settings that cannot be.
 */
export function gatewayIdentity(options: GatewayIdentityOptions): Middleware {
  const { issuer, audience, maxLifetimeMs = 60_000, clockSkewMs = 5_000 } = options;
  const names = checkedNames(options);
  const keys = readyKeys(options.keys);
  if (!(clockSkewMs >= 0 && clockSkewMs <= MAX_SKEW_MS)) throw bad("clockSkewMs is from 0 to 60000");
  if (!(maxLifetimeMs > 0)) throw bad("maxLifetimeMs is a time in milliseconds");
  const rules = { issuer, audience, maxLifetimeMs, clockSkewMs };
  const denied = refusal(401, { "WWW-Authenticate": `Gateway header="${names[0]}"` });
  const ambiguous = refusal(400);
  let counters: Counters = createCounters();
  const deny = (request: GatewayRequest, problem: string): typeof denied => {
    request.exchange.log.warn({ problem, client: request.client }, "an identity was refused");
    return denied;
  };
  return layer({
    name: "gatewayIdentity",
    start(context) {
      counters = context.counters;
    },
    onRequest(request) {
      const given = request.headers.getAll(names[0] as string);
      const headers = scrubIdentity(request.headers, names);
      const clean = headers === request.headers ? request : { ...request, headers };
      if (given.length === 0) return clean;
      if (given.length > 1) return ambiguous;
      const found = readIdentity(given[0] as string, keys, { ...rules, nowMs: Date.now() });
      if (typeof found === "string") return deny(request, found);
      return andThen(isFirst(counters, `${audience} ${found.id}`, maxLifetimeMs + 2 * clockSkewMs), (isNew) =>
        isNew ? withPrincipal(clean, found.principal) : deny(request, "seen before"),
      );
    },
  });
}

/** Whether an identity has not been seen while it could count: two windows together are always longer than that. */
function isFirst(counters: Counters, key: string, windowMs: number): MaybePromise<boolean> {
  return andThen(counters.hit(`gw.identity ${key}`, { windowMs }), ({ count, previous }) => count + previous === 1);
}

function canSign(key: ReadyKey | undefined): key is ReadyKey & { readonly sign: NonNullable<ReadyKey["sign"]> } {
  return key !== undefined && key.sign !== null;
}

function withClaims(principal: Principal, names: readonly string[]): Principal {
  const kept = names.flatMap((name) =>
    Object.hasOwn(principal.claims, name) ? [[name, principal.claims[name]] as const] : [],
  );
  return { ...principal, claims: Object.fromEntries(kept) };
}

function checkedNames({ issuer, audience, header = HEADER }: IdentityOptions): readonly string[] {
  if (issuer === "" || audience === "") throw bad("issuer and audience name the two gateways");
  if (!isToken(header)) throw bad(`${JSON.stringify(header)} is no field name`);
  if (isIdentityHeader(header)) throw bad(`carriers remove ${header} from every request: use another name`);
  return [header];
}

function bad(message: string): GatewayError {
  return new GatewayError("GW_GATEWAY_IDENTITY", 500, message);
}
