// The session of one exchange: loaded when first touched, saved when the answer leaves.
import {
  type Answer,
  andThen,
  GatewayError,
  isPromise,
  type MaybePromise,
  type Principal,
  type RequestHead,
} from "@gw/core";
import { notShared } from "./cache-control.ts";
import { SessionChanges, type SessionValues } from "./changes.ts";
import type { SessionCookie } from "./cookie.ts";
import { type JsonValue, toJsonValue } from "./json-value.ts";
import { dueTouch, isAlive } from "./limits.ts";
import { type HeldSession, type SaveSettings, saveSession, valuesOf } from "./save.ts";
import type { Session } from "./session.ts";
import type { SessionRecord } from "./store.ts";
import { keyOf } from "./token.ts";

/** What all sessions of one layer share. */
export interface SessionSettings extends SaveSettings {
  readonly cookie: SessionCookie;
}

const PRINCIPAL = "gw.principal";
const OWN_KEY = /^gw\./; // ours, not shown by keys()

/** The Session of one exchange, as its layer sees it. */
export class ActiveSession implements Session {
  readonly #settings: SessionSettings;
  readonly #request: RequestHead;
  #phase: "open" | "sending" | "sent" = "open";
  #passes = 1;
  #isUsed = false;
  #isLateAllowed = false;
  #loading: Promise<void> | null = null;
  #isLoaded = false;
  #held: HeldSession | null = null;
  #values: SessionValues | null = null;
  #changes: SessionChanges | null = null;
  #user: string | null | undefined = undefined;
  #isRotation = false;
  #ending: "here" | "everywhere" | null = null;
  #saving: Promise<void> | null = null;
  #setCookie: string | null = null;

  constructor(settings: SessionSettings, request: RequestHead) {
    this.#settings = settings;
    this.#request = request;
  }

  get isNew(): boolean {
    this.#view();
    return this.#held === null || this.#ending !== null;
  }

  get principal(): Principal | null {
    return (this.#view().get(PRINCIPAL) as Principal | undefined) ?? null;
  }

  get(key: string): JsonValue | undefined {
    return this.#view().get(key);
  }

  has(key: string): boolean {
    return this.#view().has(key);
  }

  keys(): string[] {
    return [...this.#view().keys()].filter((key) => !OWN_KEY.test(key));
  }

  set(key: string, value: JsonValue): void {
    const copy = toJsonValue(value, key);
    this.#edit().set(key, copy);
    this.#view().set(key, copy);
  }

  update(key: string, change: (before: JsonValue | undefined) => JsonValue): void {
    const apply = (before: JsonValue | undefined): JsonValue => toJsonValue(change(before), key);
    const changes = this.#edit();
    const after = apply(this.#view().get(key));
    changes.update(key, apply, after);
    this.#view().set(key, after);
  }

  delete(key: string): void {
    this.#edit().delete(key);
    this.#view().delete(key);
  }

  clear(): void {
    const { principal } = this;
    this.#edit().clear();
    this.#view().clear();
    if (principal !== null) this.#keepPrincipal(principal);
  }

  logIn(principal: Principal): void {
    const before = this.#user === undefined ? (this.#loadedRecord()?.user ?? null) : this.#user;
    if (before !== null && before !== principal.user) this.end();
    this.#keepPrincipal(principal);
    this.#user = principal.user;
    this.#isRotation = true;
  }

  rotate(): void {
    this.#edit();
    this.#isRotation = true;
  }

  end({ everywhere = false }: { everywhere?: boolean } = {}): void {
    this.#edit();
    if (this.#ending !== "everywhere") this.#ending = everywhere ? "everywhere" : "here";
    this.#changes = null;
    this.#user = undefined;
    this.#isRotation = false;
    this.#values = new Map();
  }

  load(): MaybePromise<void> {
    if (this.#isLoaded) return;
    if (this.#loading !== null) return this.#loading;
    const token = this.#settings.cookie.read(this.#request);
    if (token === null) {
      this.#isLoaded = true;
      return;
    }
    const key = keyOf(token);
    const loading = andThen(this.#settings.store.read(key), (record) => this.#accept(key, record));
    if (isPromise(loading)) this.#loading = loading;
    return loading;
  }

  reload(): MaybePromise<void> {
    if (!this.#isLoaded || this.#held === null) return this.load();
    const { key } = this.#held;
    return andThen(this.#settings.store.read(key), (record) => this.#accept(key, record));
  }

  save(change?: () => void): MaybePromise<void> {
    if (this.#saving !== null) return this.#saving.then(() => this.save(change));
    if (change !== undefined) {
      this.#isLateAllowed = true;
      try {
        change();
      } finally {
        this.#isLateAllowed = false;
      }
    }
    return andThen(this.#commit(), (wasEnded) => {
      if (wasEnded) throw new GatewayError("GW_SESSION_ENDED", 409, "the session ended before its change was saved");
    });
  }

  /** Counts one more pass of the exchange through the layer: `dispatch` may run it through again. */
  enter(): void {
    this.#passes++;
  }

  /** After the outermost pass: saves unless the answer is an error that was thrown, and gives the answer with its cookie. */
  leave(answer: Answer, isFailure: boolean): MaybePromise<Answer> {
    if (--this.#passes > 0) return answer;
    this.#phase = "sending";
    const saving = isFailure ? undefined : this.#saveWithHead();
    return isPromise(saving) ? saving.then(() => this.#finish(answer)) : this.#finish(answer);
  }

  /** The answer was thrown away by an error: nothing is saved. */
  fail(): void {
    if (--this.#passes === 0) this.#phase = "sent";
  }

  #saveWithHead(): MaybePromise<unknown> {
    return this.#saving === null ? this.#commit() : this.#saving.then(() => this.#commit());
  }

  #finish(answer: Answer): Answer {
    this.#phase = "sent";
    if (!this.#isUsed && this.#setCookie === null) return answer;
    const headers = answer.kind === "accept" ? answer.headers : notShared(answer.headers);
    if (this.#setCookie !== null) return { ...answer, headers: headers.append("Set-Cookie", this.#setCookie) };
    return headers === answer.headers ? answer : { ...answer, headers };
  }

  #accept(key: string, record: SessionRecord | null): void {
    const { store, clock, limits } = this.#settings;
    const nowMs = clock();
    this.#isLoaded = true;
    this.#held = record !== null && isAlive(record, nowMs, limits) ? { key, record } : null;
    this.#values = null;
    if (this.#held === null) return;
    const expiresMs = dueTouch(this.#held.record, nowMs, limits);
    if (expiresMs === null) return;
    const touching = store.touch(key, expiresMs);
    if (!isPromise(touching)) return;
    const { exchange } = this.#request;
    const noted = touching.catch((err: unknown) => exchange.log.warn({ err }, "the use of a session was not noted"));
    exchange.onEnd(() => noted);
  }

  #loadedRecord(): SessionRecord | null {
    this.#isUsed = true;
    if (!this.#isLoaded) {
      const loading = this.load();
      if (isPromise(loading)) {
        loading.catch(() => {});
        throw new GatewayError("GW_SESSION_NOT_LOADED", 500, "await session.load() before the session is used");
      }
    }
    return this.#held?.record ?? null;
  }

  #view(): SessionValues {
    const record = this.#loadedRecord();
    if (this.#values === null) {
      const stored: SessionValues = record === null || this.#ending !== null ? new Map() : valuesOf(record);
      this.#values = this.#changes === null ? stored : this.#changes.applyTo(stored);
    }
    return this.#values;
  }

  #edit(): SessionChanges {
    if (this.#phase !== "open" && !this.#isLateAllowed) {
      throw new GatewayError(
        "GW_SESSION_LATE",
        500,
        "the session was changed after the head of the answer had left; use await session.save(() => …)",
      );
    }
    this.#loadedRecord();
    this.#changes ??= new SessionChanges();
    return this.#changes;
  }

  #keepPrincipal({ user, type, groups, claims }: Principal): void {
    const value = toJsonValue({ user, type, groups, claims }, PRINCIPAL);
    this.#edit().set(PRINCIPAL, value);
    this.#view().set(PRINCIPAL, value);
  }

  /** Saves what is to be saved; tells whether the session had ended meanwhile. */
  #commit(): MaybePromise<boolean> {
    if (this.#changes === null && this.#ending === null) return false;
    const done = andThen(this.#commitEnd(), () => this.#commitChanges());
    if (!isPromise(done)) return done;
    const settled = done.then(
      () => {},
      () => {},
    );
    this.#saving = settled;
    return done.finally(() => {
      if (this.#saving === settled) this.#saving = null;
    });
  }

  #commitEnd(): MaybePromise<void> {
    const { store, cookie } = this.#settings;
    const ending = this.#ending;
    if (ending === null) return;
    const held = this.#held;
    this.#ending = null;
    this.#held = null;
    this.#setCookie = cookie.read(this.#request) === null ? null : cookie.clear(this.#request);
    if (held === null) return;
    return andThen(store.end(held.key), () => {
      const { user } = held.record;
      return ending === "everywhere" && user !== null ? andThen(store.endAll(user), () => {}) : undefined;
    });
  }

  #commitChanges(): MaybePromise<boolean> {
    const changes = this.#changes;
    if (changes === null || (changes.isEmpty && !this.#isRotation)) return false;
    const job = {
      changes,
      values: this.#view(),
      user: this.#user,
      isRotation: this.#isRotation,
      canIssue: this.#phase !== "sent",
    };
    this.#changes = null;
    this.#user = undefined;
    this.#isRotation = false;
    return andThen(saveSession(this.#settings, this.#held, job), ({ held, token, merged, wasEnded }) => {
      this.#held = held;
      if (token !== null) this.#setCookie = this.#settings.cookie.write(token, this.#request);
      if (wasEnded) this.#values = new Map();
      else if (merged !== null) this.#values = merged;
      return wasEnded;
    });
  }
}
