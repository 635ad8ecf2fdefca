// A session that lies sealed in the cookie of its browser.
import { andThen, GatewayError, type MaybePromise, type RequestHead } from "@gw/core";
import { type Sealer, sealedLength } from "../secrets/sealer.ts";
import type { Clock } from "./clock.ts";
import { MAX_TOKENS, type SessionCookie } from "./cookie.ts";
import type { EndedList } from "./ended-list.ts";
import type { SessionKeeper } from "./guarded-store.ts";
import type { SessionPlace } from "./place.ts";
import type { SessionRecord } from "./store.ts";
import { isToken, keyOf } from "./token.ts";

/** What all sealed sessions of one layer share. */
export interface SealedSettings {
  readonly sealer: Sealer;
  readonly cookie: SessionCookie;
  /** `null`: ends are not remembered. */
  readonly ended: EndedList | null;
  readonly records: SessionKeeper;
  readonly clock: Clock;
  readonly absoluteMs: number;
}

interface Held {
  readonly key: string;
  readonly record: SessionRecord;
}

interface Opened extends Held {
  readonly token: string;
}

const MAX_PAIR_CHARS = 4_096; // RFC 6265bis §5.7: longer, and browsers drop it without a word
const TOKEN_CHARS = 22;

/** The session in the cookie of one exchange, with the methods of a store. */
export class SealedPlace implements SessionPlace, SessionKeeper {
  readonly isSync: boolean;
  readonly #settings: SealedSettings;
  readonly #request: RequestHead;
  #token: string | null = null;
  #held: Held | null = null;
  #opened: readonly Opened[] | null = null; // null: not tried

  constructor(settings: SealedSettings, request: RequestHead) {
    this.isSync = settings.records.isSync;
    this.#settings = settings;
    this.#request = request;
  }

  get store(): SessionKeeper {
    return this;
  }

  get records(): SessionKeeper {
    return this.#settings.records;
  }

  tokens(): readonly string[] {
    if (this.#token !== null) return [this.#token];
    this.#opened ??= this.#open();
    return this.#opened.map(({ token }) => token);
  }

  line(token: string | null): string | null {
    this.#token = token ?? this.#token;
    const { cookie, sealer } = this.#settings;
    if (this.#held === null || this.#token === null) return null;
    const text = writeSealed(this.#token, this.#held.record);
    return cookie.write(sealer.seal(cookie.nameFor(this.#request), Buffer.from(text)), this.#request);
  }

  clear(): string {
    return this.#settings.cookie.clear(this.#request);
  }

  read(key: string): MaybePromise<SessionRecord | null> {
    if (this.#held === null) return this.#readFirst(key);
    const held = this.#held;
    if (held.key !== key) return null;
    return andThen(this.#hasEnded(held), (hasEnded) => (hasEnded ? null : held.record));
  }

  create(key: string, record: SessionRecord): MaybePromise<void> {
    const { ended } = this.#settings;
    if (ended === null || record.user === null) return this.#put(key, record);
    // Begun in the moment in which everything of the user ended: it is not meant.
    return andThen(ended.userEndedMs(record.user), (endedMs) =>
      this.#put(key, { ...record, createdMs: Math.max(record.createdMs, endedMs + 1) }),
    );
  }

  /** Of parallel requests the last answer wins: a cookie has no compare and swap. */
  replace(key: string, _version: number, record: SessionRecord): MaybePromise<boolean> {
    return andThen(this.read(key), (before) => {
      if (before === null) return false;
      this.#put(key, { ...record, createdMs: Math.max(record.createdMs, before.createdMs) });
      return true;
    });
  }

  move(key: string, _version: number, newKey: string, record: SessionRecord): MaybePromise<boolean> {
    return andThen(this.read(key), (before) => {
      if (before === null) return false;
      return andThen(this.end(key), () => andThen(this.create(newKey, record), () => true));
    });
  }

  touch(key: string, expiresMs: number): void {
    if (this.#held?.key === key) this.#held = { key, record: { ...this.#held.record, expiresMs } };
  }

  end(key: string): MaybePromise<void> {
    const { ended, clock, absoluteMs } = this.#settings;
    if (ended === null || this.#held?.key !== key) return;
    // Copies may have been touched later than this one: the absolute limit bounds them all.
    return ended.add(key, clock(), this.#held.record.createdMs + absoluteMs);
  }

  endAll(user: string): MaybePromise<number> {
    const { ended, clock, absoluteMs } = this.#settings;
    if (ended === null) return 0;
    const nowMs = clock();
    return andThen(ended.addUser(user, nowMs, nowMs + absoluteMs), () => 0);
  }

  #hasEnded({ key, record }: Held): MaybePromise<boolean> {
    return record.expiresMs <= this.#settings.clock() || (this.#settings.ended?.has(key, record) ?? false);
  }

  /** Of the cookies that open, the one that is read as a living session is held from then on. */
  #readFirst(key: string): MaybePromise<SessionRecord | null> {
    const found = this.#opened?.find((one) => one.key === key);
    if (found === undefined) return null;
    return andThen(this.#hasEnded(found), (hasEnded) => {
      if (hasEnded) return null;
      this.#held ??= found;
      this.#token ??= found.token;
      return found.record;
    });
  }

  #open(): Opened[] {
    const { cookie, sealer } = this.#settings;
    const name = cookie.nameFor(this.#request);
    const opened = new Map<string, Opened>();
    for (const value of cookie.values(this.#request)) {
      const text = sealer.open(name, value);
      const one = text === null ? null : readSealed(text.toString());
      if (one !== null && !opened.has(one.key)) opened.set(one.key, one);
      if (opened.size === MAX_TOKENS) break;
    }
    return [...opened.values()];
  }

  #put(key: string, record: SessionRecord): void {
    const name = this.#settings.cookie.nameFor(this.#request);
    const bytes = Buffer.byteLength(writeSealed("-".repeat(TOKEN_CHARS), record));
    const chars = name.length + sealedLength(bytes);
    if (chars > MAX_PAIR_CHARS) {
      throw new GatewayError(
        "GW_SESSION_TOO_LARGE",
        500,
        `the session makes a cookie of ${chars} characters, and browsers keep ${MAX_PAIR_CHARS}`,
      );
    }
    this.#held = { key, record };
  }
}

/** The id and the record as text: a line of JSON, then the data, which is JSON already. */
function writeSealed(token: string, { version, createdMs, expiresMs, user, data }: SessionRecord): string {
  return `${JSON.stringify([token, version, Math.round(createdMs), Math.round(expiresMs), user])}\n${data}`;
}

function readSealed(text: string): Opened | null {
  const end = text.indexOf("\n");
  const [token, version, createdMs, expiresMs, user] = JSON.parse(text.slice(0, end)) as [
    string,
    number,
    number,
    number,
    string | null,
  ];
  if (!isToken(token)) return null;
  return { token, key: keyOf(token), record: { version, createdMs, expiresMs, user, data: text.slice(end + 1) } };
}
