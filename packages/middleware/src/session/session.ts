// What an app sees of its session.
import type { MaybePromise, Principal } from "@gw/core";
import type { Immutable, JsonValue } from "./json-value.ts";

/**
 * The session of an exchange. Values are JSON, typed by `T`.
 *
 * Changes are saved before the head of the answer leaves, and not at all if
 * the request ends in an error. Reading a session writes nothing.
 *
 * Every method but `load` and `save` throws GatewayError `GW_SESSION_NOT_LOADED` if the store is asynchronous, loading
 * is lazy and nobody called `load`; those that change throw `GW_SESSION_LATE` once the head has left.
 */
export interface Session<T extends object = Record<string, JsonValue>> {
  /** Whether the store holds nothing for this browser yet. */
  readonly isNew: boolean;
  /** Who is logged in, or `null`. */
  readonly principal: Principal | null;
  /** A value, or `undefined`. It is frozen: change a copy and `set` it. */
  get<K extends keyof T & string>(key: K): Immutable<T[K]> | undefined;
  /** Whether there is such a value. */
  has(key: keyof T & string): boolean;
  /** The keys of all values. */
  keys(): (keyof T & string)[];
  /**
   * Sets a value; of parallel requests that set the same one the last to end wins. For counters and lists use `update`.
   *
   * @throws GatewayError `GW_SESSION_VALUE` if JSON cannot carry it.
   */
  set<K extends keyof T & string>(key: K, value: Immutable<T[K]>): void;
  /**
   * Sets a value from the one before it. When a parallel request changed the session meanwhile, the function is called
   * again with the newer value: no change is lost.
   */
  update<K extends keyof T & string>(key: K, change: (before: Immutable<T[K]> | undefined) => Immutable<T[K]>): void;
  /** Removes a value. */
  delete(key: keyof T & string): void;
  /** Removes every value; the session and its user stay. */
  clear(): void;
  /**
   * Logs a user in: the session gets a new id, so that one planted before the login is worth nothing.
   *
   * Values stay, unless somebody else was logged in: then a new session begins.
   */
  logIn(principal: Principal): void;
  /** Gives the session a new id; call it when rights grow. */
  rotate(): void;
  /**
   * Ends the session, on the server too; what is set afterwards begins a new one.
   *
   * @param options.everywhere ends every session of the user, on all devices.
   */
  end(options?: { everywhere?: boolean }): void;
  /** Loads the session from the store, once. Only needed with an asynchronous store and `load: "lazy"`. */
  load(): MaybePromise<void>;
  /** Loads it again: what other requests saved since. For long conversations over a socket. */
  reload(): MaybePromise<void>;
  /**
   * Saves at once instead of with the head; await it.
   *
   * After the head has left, and in sockets, changes are only possible inside `change`:
   * `await session.save(() => session.set("seen", id))`. They cannot begin a session or give it a new id.
   *
   * @throws GatewayError `GW_SESSION_ENDED` if the session has ended meanwhile, `GW_SESSION_STORE` (503) if the store fails.
   */
  save(change?: () => void): MaybePromise<void>;
}
