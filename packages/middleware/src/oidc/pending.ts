// Logins that are under way: kept in the session, so that only the browser that began one can end it, and only once (R-M15).
import { isGatewayError, type MaybePromise } from "@gw/core";
import type { ActiveSession } from "../session/active.ts";
import type { JsonValue } from "../session/json-value.ts";

/** What a browser must come back with, and where it goes then. Text. */
export interface PendingLogin {
  /** Proof that the code is exchanged by who asked for it (RFC 7636). */
  readonly verifier: string;
  /** What the ID token must repeat. */
  readonly nonce: string;
  /** Where to go afterwards, a place of this site; `null`: home. */
  readonly next: string | null;
  readonly atMs: number;
}

const KEY = "oidc.pending";
const MAX_PENDING = 10; // tabs of one browser in which a login is open
const MAX_AGE_MS = 600_000;

type Table = Readonly<Record<string, PendingLogin>>;

/** Notes a login in the session, beside those of other tabs; the oldest go when there are too many. */
export function notePending(session: ActiveSession, state: string, login: PendingLogin): void {
  session.updateOwn(KEY, (before) => withPending(tableOf(before), state, login) as unknown as JsonValue);
}

/** The table with one login more. The pure step of `notePending`. */
export function withPending(table: Table, state: string, login: PendingLogin): Table {
  const fresh = Object.entries(table).filter(([, { atMs }]) => login.atMs - atMs < MAX_AGE_MS);
  return Object.fromEntries([...fresh.slice(-(MAX_PENDING - 1)), [state, login]]);
}

/**
 * Takes the login of this state out of the session, and saves at once: of two requests that bring the same state, one gets it.
 *
 * `null`: this browser began no such login, it was too long ago, or it was taken before.
 */
export async function takePending(session: ActiveSession, state: string, nowMs: number): Promise<PendingLogin | null> {
  let taken: PendingLogin | null = null;
  session.updateOwn(KEY, (before) => {
    const { [state]: found, ...rest } = tableOf(before);
    taken = found ?? null;
    return rest as unknown as JsonValue;
  });
  try {
    await session.save();
  } catch (error) {
    if (isGatewayError(error, "GW_SESSION_ENDED")) return null;
    throw error;
  }
  const found = taken as PendingLogin | null;
  return found !== null && nowMs - found.atMs < MAX_AGE_MS ? found : null;
}

/** Whether the session knows the state: looked at first, so that strangers' callbacks write nothing. */
export function isPending(session: ActiveSession, state: string): MaybePromise<boolean> {
  return Object.hasOwn(tableOf(session.own(KEY)), state);
}

function tableOf(value: JsonValue | undefined): Table {
  return typeof value === "object" && value !== null ? (value as unknown as Table) : {};
}
