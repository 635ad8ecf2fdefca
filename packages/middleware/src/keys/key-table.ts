// Keys that are as good as a password, stored as digests only (R-M5).
import { hash, randomBytes } from "node:crypto";
import { andThen, GatewayError, type GatewayRequest, type MaybePromise, type Principal } from "@gw/core";

/** Whose a key is. */
export interface KeyOwner {
  /** The user's name, not empty. */
  readonly user: string;
  /** @default [] */
  readonly groups?: readonly string[];
  /** @default {} */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** When the key ends, milliseconds since 1970. @default never */
  readonly expiresMs?: number;
}

/** Where keys are found: give exactly one of the two. */
export interface KeysOptions {
  /** Digests of keys (`hashKey`, `newKey`) and whose they are: `{ "sha256:…": "ci" }`. Taking an entry out revokes the key: the object is looked at for each request. */
  keys?: Readonly<Record<string, string | KeyOwner>>;
  /** Finds the owner of a key by its digest, in a database for example; `null`: there is none. */
  find?: (digest: string, request: GatewayRequest) => MaybePromise<KeyOwner | string | null>;
}

/** A fresh key of 256 random bits and the digest to store. Show the key once. */
export function newKey(prefix = "gw_"): { readonly key: string; readonly digest: string } {
  const key = prefix + randomBytes(32).toString("base64url");
  return { key, digest: hashKey(key) };
}

/** The digest under which a key is stored. A plain SHA-256 is enough for keys with 128 random bits or more, and only for them. */
export function hashKey(key: string): string {
  return `sha256:${hash("sha256", key, "hex")}`;
}

type User = Omit<Principal, "type">;

/**
 * Answers whose a key is. Looking up a digest tells nothing of the key by its time.
 *
 * @throws GatewayError `GW_KEYS` unless exactly one source is given, or for an entry that is no digest.
 */
export function ownerFinder({
  keys,
  find,
}: KeysOptions): (key: string, request: GatewayRequest) => MaybePromise<User | null> {
  if ((keys === undefined) === (find === undefined)) {
    throw new GatewayError("GW_KEYS", 500, "give exactly one of the options keys and find");
  }
  for (const digest of Object.keys(keys ?? {})) {
    if (!/^sha256:[0-9a-f]{64}$/.test(digest)) {
      throw new GatewayError("GW_KEYS", 500, "an entry of keys is no digest: hashKey(key) makes one"); // it may be a key: not shown
    }
  }
  const lookUp = find ?? ((digest: string) => (Object.hasOwn(keys ?? {}, digest) ? (keys?.[digest] ?? null) : null));
  return (key, request) => andThen(lookUp(hashKey(key), request), toUser);
}

function toUser(found: KeyOwner | string | null): User | null {
  if (found === null) return null;
  const {
    user,
    groups = [],
    claims = {},
    expiresMs = Number.POSITIVE_INFINITY,
  } = typeof found === "string" ? { user: found } : found;
  return user === "" || expiresMs <= Date.now() ? null : { user, groups, claims };
}
