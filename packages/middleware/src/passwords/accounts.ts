// Who may log in with a password: a function, a table or an htpasswd file, behind one question.
import {
  andThen,
  GatewayError,
  type GatewayRequest,
  type Lifecycle,
  type MaybePromise,
  type Principal,
} from "@gw/core";
import { HtpasswdFile } from "./htpasswd.ts";
import { RememberedSuccesses } from "./remembered.ts";
import { type UserEntry, UserTable } from "./table.ts";

export type { UserEntry } from "./table.ts";

/** What is known of a user whose password was right. */
export interface Account {
  /** Name to go on with. @default the one given */
  readonly user?: string;
  /** @default [] */
  readonly groups?: readonly string[];
  /** @default {} */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/**
 * Checks a name and a password, both text without control characters.
 *
 * Take as long for a name you do not know: compare with some other user's hash.
 */
export type VerifyPassword = (
  user: string,
  password: string,
  request: GatewayRequest,
) => MaybePromise<boolean | Account | null>;

/** Where users come from: give exactly one of `verify`, `users` and `htpasswd`. */
export interface AccountsOptions {
  /** A function that checks a name and password. */
  verify?: VerifyPassword;
  /** Users and their hashes (`hashPassword` makes them): `{ ann: "$argon2id$…", bob: { password: "$2b$…", groups: ["staff"] } }`. */
  users?: Readonly<Record<string, string | UserEntry>>;
  /** Path of an htpasswd file (bcrypt, Argon2 where the runtime has it, scrypt, apr1, {SHA}); read again when it changes. */
  htpasswd?: string;
  /** Groups of the users of an htpasswd file. @default {} */
  groups?: Readonly<Record<string, readonly string[]>>;
  /** Takes what is no known hash for a password as it is. @default false */
  plain?: boolean;
  /** Computes slow hashes on this thread, with no promise: for pipelines that must stay sync. @default false */
  blocking?: boolean;
}

/** Answers who a name and password belong to. */
export interface Accounts extends Pick<Lifecycle, "start" | "reload"> {
  /** The user, or `null` if there is none or the password is wrong. */
  check(user: string, password: string, request: GatewayRequest): MaybePromise<Omit<Principal, "type"> | null>;
}

/**
 * The accounts that the options describe.
 *
 * @throws GatewayError `GW_ACCOUNTS` unless exactly one source is given; `GW_PASSWORD_HASH` for a hash we cannot check.
 */
export function accountsOf(options: AccountsOptions): Accounts {
  const { verify, users, htpasswd, groups = {}, plain = false, blocking = false } = options;
  if ([verify, users, htpasswd].filter((source) => source !== undefined).length !== 1) {
    throw new GatewayError("GW_ACCOUNTS", 500, "give exactly one of the options verify, users and htpasswd");
  }
  if (verify !== undefined) {
    return { check: (user, password, request) => andThen(verify(user, password, request), (it) => toUser(user, it)) };
  }
  const remembered = new RememberedSuccesses();
  const file = htpasswd === undefined ? null : new HtpasswdFile({ path: htpasswd, groups, isPlainAllowed: plain });
  const fixed = users === undefined ? null : new UserTable(entriesOf(users), plain);
  const table = (): UserTable => fixed ?? (file as HtpasswdFile).table();
  return {
    check: (user, password) =>
      andThen(table().check(user, password, remembered, blocking), (found) =>
        found === null ? null : { user, groups: found, claims: {} },
      ),
    ...(file !== null && {
      start: ({ log }) => file.load(log),
      reload: async () => file.load(),
    }),
  };
}

function entriesOf(users: NonNullable<AccountsOptions["users"]>): [string, UserEntry][] {
  return Object.entries(users).map(([user, entry]) => [user, typeof entry === "string" ? { password: entry } : entry]);
}

function toUser(user: string, result: boolean | Account | null): Omit<Principal, "type"> | null {
  if (result === false || result === null) return null;
  const { user: name = user, groups = [], claims = {} } = result === true ? {} : result;
  return name === "" ? null : { user: name, groups, claims };
}
