// Where sessions are kept: the interface every store implements.
import type { Lifecycle, MaybePromise } from "@gw/core";

/** A session as a store keeps it. Plain data. */
export interface SessionRecord {
  /** Grows by one with each replacement; 1 when created. */
  readonly version: number;
  /** When the session began, milliseconds since the epoch: the absolute limit counts from here. */
  readonly createdMs: number;
  /** When it ends unless it is used before, milliseconds since the epoch. Stores may delete it afterwards. */
  readonly expiresMs: number;
  /** Who is logged in, or `null`: what `endAll` looks for. Text. */
  readonly user: string | null;
  /** The values, as the text of one JSON object. */
  readonly data: string;
}

/**
 * Keeps session records under keys.
 *
 * Keys are 64 lower-case hexadecimal digits: hashes of the ids that browsers
 * hold, so a stolen store opens no session (R-M8). Every method throws or
 * rejects when the store cannot do its work; the layer then answers 503.
 */
export interface SessionStore extends Lifecycle {
  /** Whether every method answers at once. Of a store that does not, sessions are loaded before the app starts. */
  readonly isSync: boolean;
  /** The record, or `null` if there is none or it has ended. */
  read(key: string): MaybePromise<SessionRecord | null>;
  /** Adds a record under a new key. */
  create(key: string, record: SessionRecord): MaybePromise<void>;
  /**
   * Puts a record in the place of the one with this version. Compare and swap, also between processes.
   *
   * `false`: another version is there, or none. It never creates: an ended session stays ended (R-M9).
   */
  replace(key: string, version: number, record: SessionRecord): MaybePromise<boolean>;
  /** As `replace`, under a new key; the old one ends in the same step. */
  move(key: string, version: number, newKey: string, record: SessionRecord): MaybePromise<boolean>;
  /** Puts off the end of a session that is there. Changes no version and creates nothing. */
  touch(key: string, expiresMs: number): MaybePromise<void>;
  /** Ends a session; nothing happens if there is none. */
  end(key: string): MaybePromise<void>;
  /** Ends every session of a user; how many there were. */
  endAll(user: string): MaybePromise<number>;
}
