// Users and their hashes: one check that takes as long for a name that is not there.
import { hash as digestOf, randomBytes } from "node:crypto";
import { andThen, GatewayError, type MaybePromise } from "@gw/core";
import type { RememberedSuccesses } from "./remembered.ts";
import { foreignScheme, type PasswordScheme, plainScheme, schemeOf } from "./scheme.ts";

/** A user's hash and groups. */
export interface UserEntry {
  /** Hash of the password, in a form that `verifyPassword` takes. */
  readonly password: string;
  /** @default [] */
  readonly groups?: readonly string[];
}

interface Row {
  readonly hash: string;
  readonly scheme: PasswordScheme;
  readonly groups: readonly string[];
}

/** One for all tables of the process: a decoy that changed at a reload would tell that the name is nobody's. */
const DECOY_KEY: string = randomBytes(32).toString("base64");

/** An immutable set of users. */
export class UserTable {
  readonly #rows: ReadonlyMap<string, Row>;
  readonly #list: readonly Row[];

  /**
   * @param isPlainAllowed whether what is no known hash is a password as it is
   * @throws GatewayError `GW_PASSWORD_HASH` naming the user whose hash we cannot check.
   */
  constructor(users: Iterable<readonly [user: string, entry: UserEntry]>, isPlainAllowed = false) {
    this.#rows = new Map([...users].map(([user, entry]) => [user, rowOf(user, entry, isPlainAllowed)] as const));
    this.#list = [...this.#rows.values()];
  }

  /** How many users there are. */
  get size(): number {
    return this.#rows.size;
  }

  /** The user's groups if the password is right, else `null`. */
  check(
    user: string,
    password: string,
    remembered: RememberedSuccesses,
    isBlocking: boolean,
  ): MaybePromise<readonly string[] | null> {
    const row = this.#rows.get(user);
    if (row === undefined) {
      const decoy = this.#decoyFor(user);
      return decoy === undefined ? null : andThen(decoy.scheme.verify(password, decoy.hash, isBlocking), () => null);
    }
    const verify = (): MaybePromise<boolean> => row.scheme.verify(password, row.hash, isBlocking);
    const isRight = row.scheme.isSlow ? remembered.check(user, password, row.hash, verify) : verify();
    return andThen(isRight, (right) => (right ? row.groups : null));
  }

  /** A row to compute in vain: always the same for one name, so its time tells no more than a real user's (R-M1). */
  #decoyFor(user: string): Row | undefined {
    const digest = digestOf("sha256", DECOY_KEY + user, "buffer");
    return this.#list[digest.readUInt32BE(0) % Math.max(1, this.#list.length)];
  }
}

function rowOf(user: string, { password: hash, groups = [] }: UserEntry, isPlainAllowed: boolean): Row {
  try {
    return { hash, scheme: schemeOf(hash), groups };
  } catch (cause) {
    if (isPlainAllowed && foreignScheme(hash) === null) return { hash, scheme: plainScheme, groups };
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GatewayError("GW_PASSWORD_HASH", 500, `user ${JSON.stringify(user)}: ${reason}`, { cause });
  }
}
