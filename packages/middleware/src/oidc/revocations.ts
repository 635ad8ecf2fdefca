// Logins that the provider has ended, remembered beside the sessions until the last of them is over anyway.
import { andThen, type MaybePromise } from "@gw/core";
import type { ActiveSession } from "../session/active.ts";
import type { SessionRecord } from "../session/store.ts";
import { keyOf } from "../session/token.ts";

/** One login at the provider, as `sid` of its tokens, or all of a user, as `sub`. */
export interface Ended {
  readonly kind: "sid" | "sub";
  readonly id: string;
}

/**
 * Remembers that logins have ended.
 *
 * A session store finds sessions by their id and their user's name, not by the provider's names for them; so each request
 * looks whether its login is among the ended ones. The store is shared, and so is what is remembered here.
 */
export function revoke(session: ActiveSession, issuer: string, ended: Ended, nowMs: number): MaybePromise<void> {
  const { store, absoluteMs } = session.keeper;
  const key = recordKey(issuer, ended);
  return andThen(store.read(key), (before) => {
    const record: SessionRecord = {
      version: (before?.version ?? 0) + 1,
      createdMs: nowMs,
      expiresMs: nowMs + absoluteMs,
      user: OWNER,
      data: "{}",
    };
    if (before === null) return store.create(key, record);
    return andThen(store.replace(key, before.version, record), () => {}); // a parallel one says the same
  });
}

/** Whether a login that began at `sinceMs` has ended at the provider. */
export function isRevoked(
  session: ActiveSession,
  issuer: string,
  login: { readonly sid: string | null; readonly sub: string; readonly sinceMs: number },
): MaybePromise<boolean> {
  const { store } = session.keeper;
  const hasEnded = (record: SessionRecord | null): boolean => record !== null && record.createdMs >= login.sinceMs;
  const { sid, sub } = login;
  return andThen(store.read(recordKey(issuer, { kind: "sub", id: sub })), (bySub) => {
    if (hasEnded(bySub) || sid === null) return hasEnded(bySub);
    return andThen(store.read(recordKey(issuer, { kind: "sid", id: sid })), hasEnded);
  });
}

// No user can have this name, and records of a user are not pushed out by visitors.
const OWNER = "\u0000gw.oidc";

function recordKey(issuer: string, { kind, id }: Ended): string {
  return keyOf(JSON.stringify(["gw.oidc", issuer, kind, id])); // longer than any session id, so never the key of one
}
