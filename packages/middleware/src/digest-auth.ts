// HTTP Digest authentication (RFC 7616), for clients that know nothing better and links without TLS.
import {
  type Answer,
  type AppContext,
  andThen,
  GatewayError,
  type GatewayRequest,
  HeaderList,
  type HttpResponse,
  layer,
  type MaybePromise,
  type Middleware,
  type Principal,
  toBytes,
  withPrincipal,
} from "@gw/core";
import { quoted } from "./auth/parameters.ts";
import { withoutAuthorization } from "./basic-auth.ts";
import { type DigestAlgorithm, digestAlgorithms, digestOf, responseOf, secretHash } from "./digest-auth/algorithm.ts";
import { type DigestCredentials, parseDigest } from "./digest-auth/credentials.ts";
import { Nonces } from "./digest-auth/nonces.ts";
import { refusal } from "./pages/refusal.ts";
import { equalSecrets } from "./passwords/equal-secrets.ts";
import { checkGuess, LoginThrottle, type LoginThrottleOptions, tooMany } from "./rate/login-throttle.ts";

export { type DigestAlgorithm, type DigestFacts, responseOf } from "./digest-auth/algorithm.ts";
export { type DigestCredentials, parseDigest } from "./digest-auth/credentials.ts";

/** What is stored of one user. */
export interface DigestUser {
  /** H(user:realm:password) in hex for each algorithm the user can use; `digestHashes` makes them. As good as the password: keep them secret. */
  readonly hashes: Partial<Readonly<Record<DigestAlgorithm, string>>>;
  /** @default [] */
  readonly groups?: readonly string[];
  /** @default {} */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** Settings of `digestAuth`. */
export interface DigestAuthOptions {
  /** Shown by browsers, and part of the hashes: it cannot change without new ones. Text. @default "Restricted" */
  realm?: string;
  /** Users and their hashes: exactly one of `users` and `find`. */
  users?: Readonly<Record<string, DigestUser>>;
  /** Finds a user by name; clients are then not offered to hash it. */
  find?: (user: string, request: GatewayRequest) => MaybePromise<DigestUser | null>;
  /** Algorithms that are offered, best first. curl and old browsers know MD5 and SHA-256. @default ["SHA-256"] */
  algorithms?: readonly DigestAlgorithm[];
  /** How long a nonce counts, milliseconds; after that clients repeat with a new one, unnoticed. @default 300_000 */
  nonceMs?: number;
  /** Key that nonces are signed with; give the same to all processes. @default a random one: a nonce of another process is taken for an old one */
  nonceKey?: string;
  /** Failed attempts allowed; `false`: any number. @default { windowMs: 900_000, perAccountAndAddress: 10, perAddress: 50, perAccount: 100 } */
  throttle?: LoginThrottleOptions | false;
}

/**
 * Lets through requests and sockets with a right response to our challenge, as principal of type `"Digest"`; answers 401
 * to others.
 *
 * Each nonce counts with each `nc` once, so what was overheard cannot be sent again. `qop=auth` only: bodies are not
 * covered. The field does not go on to the app (R-C6).
 *
 * @throws GatewayError `GW_DIGEST` for settings without users, or without a hash for any algorithm.
 */
export function digestAuth(options: DigestAuthOptions): Middleware {
  const digest = new Digest(options);
  return layer({
    name: "digestAuth",
    start: (context) => digest.start(context),
    stop: (deadline) => digest.stop(deadline),
    onRequest: (request) => digest.judge(request),
  });
}

/** The hashes of a password for each algorithm: what `users` wants. Text. */
export function digestHashes(user: string, realm: string, password: string): Record<DigestAlgorithm, string> {
  const pairs = digestAlgorithms.map((one) => [one, secretHash(one, user, realm, password)] as const);
  return Object.fromEntries(pairs) as Record<DigestAlgorithm, string>;
}

interface Found extends DigestUser {
  readonly user: string;
}

/** The steps of a check. */
class Digest {
  readonly #realm: string;
  readonly #algorithms: readonly DigestAlgorithm[];
  readonly #find: (credentials: DigestCredentials, request: GatewayRequest) => MaybePromise<Found | null>;
  readonly #offersHash: boolean;
  readonly #nonces: Nonces;
  readonly #limiter: LoginThrottle | null;
  readonly #ambiguous: Answer = refusal(400);

  constructor(options: DigestAuthOptions) {
    const { realm = "Restricted", algorithms = ["SHA-256"], nonceMs = 300_000, nonceKey, throttle = {} } = options;
    this.#realm = realm;
    this.#algorithms = algorithms;
    this.#find = finderOf(options, realm, algorithms);
    this.#offersHash = options.users !== undefined;
    this.#nonces = new Nonces({ key: nonceKey, lifeMs: nonceMs });
    this.#limiter = throttle === false ? null : new LoginThrottle(throttle);
  }

  async start(context: AppContext): Promise<void> {
    this.#nonces.share(context.counters);
    await this.#limiter?.life.start?.(context);
  }

  async stop(deadline: AbortSignal): Promise<void> {
    await this.#limiter?.life.stop?.(deadline);
  }

  judge(request: GatewayRequest): MaybePromise<GatewayRequest | Answer> {
    const found = parseDigest(request.headers);
    if (found === null) return this.#challenge(false);
    if (found === "ambiguous" || found === "malformed") return this.#ambiguous;
    const isOurs = found.realm === toBytes(this.#realm) && this.#algorithms.includes(found.algorithm);
    // What another proxy could have signed is no proof for this request (§3.4.6).
    if (!isOurs) return this.#challenge(false);
    if (found.uri !== request.target) return this.#ambiguous;
    return andThen(this.#limiter?.waitOf(found.user, request.client) ?? null, (waitMs) =>
      waitMs === null ? this.#check(found, request) : tooMany(waitMs),
    );
  }

  #check(given: DigestCredentials, request: GatewayRequest): MaybePromise<GatewayRequest | Answer> {
    const guess = { user: given.user, client: request.client, secret: given.response };
    return andThen(this.#find(given, request), (found) =>
      andThen(
        checkGuess(this.#limiter, guess, () => (isRight(found, given, request) ? found : null)),
        (checked) => {
          if (checked.waitMs !== null) return tooMany(checked.waitMs);
          if (checked.result !== null) return this.#admit(checked.result, given, request);
          request.exchange.log.info({ user: given.user, client: request.client }, "a Digest login failed");
          return this.#challenge(false);
        },
      ),
    );
  }

  /** Only who knows the password is told that the nonce was the problem (§3.3). */
  #admit(found: Found, given: DigestCredentials, request: GatewayRequest): MaybePromise<GatewayRequest | Answer> {
    if (!this.#nonces.isFresh(given.nonce)) return this.#challenge(true);
    return andThen(this.#nonces.use(given.nonce, given.nc), (isFirst) =>
      isFirst ? withPrincipal(withoutAuthorization(request), principalOf(found)) : this.#challenge(true),
    );
  }

  /** A 401 with one challenge per algorithm; `isStale`: the password was not the problem (§3.3). */
  #challenge(isStale: boolean): HttpResponse {
    const nonce = this.#nonces.make();
    const lines = this.#algorithms.map((algorithm) =>
      [
        `Digest realm=${quoted(toBytes(this.#realm))}`,
        'qop="auth"',
        `algorithm=${algorithm}`,
        `nonce="${nonce}"`,
        "charset=UTF-8",
        ...(this.#offersHash ? ["userhash=true"] : []),
        ...(isStale ? ["stale=true"] : []),
      ].join(", "),
    );
    const base = refusal(401);
    const challenges = lines.map((line) => ["WWW-Authenticate", line] as const);
    return { ...base, headers: HeaderList.from([...base.headers, ...challenges]) };
  }
}

/** Somebody unknown costs the same computation. */
function isRight(found: Found | null, given: DigestCredentials, { method }: GatewayRequest): found is Found {
  const known = found?.hashes[given.algorithm];
  const expected = responseOf(known ?? DECOY, { ...given, method });
  return equalSecrets(expected, given.response) && known !== undefined;
}

const DECOY = digestOf("SHA-256", "nobody");

function principalOf({ user, groups = [], claims = {} }: Found): Principal {
  return { user, type: "Digest", groups, claims };
}

function finderOf(
  { users, find }: DigestAuthOptions,
  realm: string,
  algorithms: readonly DigestAlgorithm[],
): (credentials: DigestCredentials, request: GatewayRequest) => MaybePromise<Found | null> {
  if ((users === undefined) === (find === undefined))
    throw badSettings("give exactly one of the options users and find");
  if (algorithms.length === 0) throw badSettings("algorithms is empty");
  if (find !== undefined) {
    return ({ user, isHashed }, request) =>
      isHashed ? null : andThen(find(user, request), (found) => (found === null ? null : { ...found, user }));
  }
  const byName = new Map(Object.entries(users ?? {}).map(([user, entry]) => [user, { ...entry, user }]));
  for (const [user, { hashes }] of byName) {
    if (!algorithms.some((one) => hashes[one] !== undefined))
      throw badSettings(`user ${user} has no hash for ${algorithms.join(" or ")}`);
  }
  const byHash = new Map(
    [...byName.values()].flatMap((one) =>
      algorithms.map((name) => [digestOf(name, `${one.user}:${realm}`), one] as const),
    ),
  );
  return ({ user, isHashed }) => (isHashed ? byHash.get(user.toLowerCase()) : byName.get(user)) ?? null;
}

function badSettings(message: string): GatewayError {
  return new GatewayError("GW_DIGEST", 500, message);
}
