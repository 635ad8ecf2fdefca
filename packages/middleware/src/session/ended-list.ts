// Which sealed sessions have ended: a cookie that was copied before says that it is alive, and goes on saying so.
import { andCatch, andThen, type MaybePromise } from "@gw/core";
import type { SessionKeeper } from "./guarded-store.ts";
import type { SessionRecord } from "./store.ts";
import { keyOf } from "./token.ts";

/** Remembers ends in a session store, each until the last copy of the cookie is over anyway. */
export class EndedList {
  readonly #store: SessionKeeper;

  constructor(store: SessionKeeper) {
    this.#store = store;
  }

  /** Whether the session, or everything of its user from before, has ended. */
  has(key: string, { user, createdMs }: SessionRecord): MaybePromise<boolean> {
    return andThen(this.#store.read(sessionKey(key)), (ended) => {
      if (ended !== null || user === null) return ended !== null;
      return andThen(this.userEndedMs(user), (endedMs) => createdMs <= endedMs);
    });
  }

  /** When everything of a user was ended last, milliseconds since the epoch; 0: never. */
  userEndedMs(user: string): MaybePromise<number> {
    return andThen(this.#store.read(userKey(user)), (ended) => ended?.createdMs ?? 0);
  }

  /** The session has ended; to be remembered until `untilMs`. */
  add(key: string, nowMs: number, untilMs: number): MaybePromise<void> {
    return this.#note(sessionKey(key), nowMs, untilMs);
  }

  /** All sessions of the user that began until now have ended. */
  addUser(user: string, nowMs: number, untilMs: number): MaybePromise<void> {
    return this.#note(userKey(user), nowMs, untilMs);
  }

  #note(key: string, nowMs: number, expiresMs: number): MaybePromise<void> {
    const record = { version: 1, createdMs: nowMs, expiresMs, user: OWNER, data: "{}" };
    return andThen(this.#store.read(key), (before) => {
      if (before !== null) return this.#renew(key, before, record);
      return andCatch(
        () => this.#store.create(key, record),
        // A parallel request may have noted it first.
        (error) =>
          andThen(this.#store.read(key), (found) => {
            if (found === null) throw error;
          }),
      );
    });
  }

  #renew(key: string, { version, createdMs: endedMs }: SessionRecord, record: SessionRecord): MaybePromise<void> {
    // A session that began after the last end, within the same millisecond, carries the next one: it has begun, too.
    const createdMs = Math.max(record.createdMs, endedMs + 1);
    return andThen(this.#store.replace(key, version, { ...record, createdMs, version: version + 1 }), () => {});
  }
}

// No user can have this name, and records of a user are not pushed out by visitors.
const OWNER = "\u0000gw.sealed";

function sessionKey(key: string): string {
  return keyOf(`gw.sealed session ${key}`);
}

function userKey(user: string): string {
  return keyOf(`gw.sealed user ${user}`);
}
