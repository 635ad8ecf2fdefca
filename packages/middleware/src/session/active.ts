// The session of one exchange: loaded when first touched, saved when the answer leaves.
import {
  type Answer,
  andCatch,
  andThen,
  GatewayError,
  isPromise,
  type MaybePromise,
  type Principal,
  type RequestHead,
} from "@gw/core";
import { notShared } from "./cache-control.ts";
import { SessionDraft } from "./draft.ts";
import type { SessionKeeper } from "./guarded-store.ts";
import type { JsonValue } from "./json-value.ts";
import { dueTouch, isAlive } from "./limits.ts";
import type { SessionPlace } from "./place.ts";
import { type HeldSession, type SaveSettings, saveSession } from "./save.ts";
import type { Session } from "./session.ts";
import type { SessionRecord } from "./store.ts";
import { keyOf } from "./token.ts";

/** What all sessions of one layer share. */
export interface SessionSettings extends SaveSettings {
  readonly placeOf: (request: RequestHead) => SessionPlace;
}

/** The Session of one exchange, as its layer sees it. */
export class ActiveSession implements Session {
  readonly #settings: SessionSettings;
  readonly #request: RequestHead;
  readonly #place: SessionPlace;
  #phase: "open" | "sending" | "sent" = "open";
  #passes = 1;
  #isUsed = false;
  #isLateAllowed = false;
  #hasEnded = false;
  #draft: SessionDraft | null = null; // null: not loaded
  #held: HeldSession | null = null;
  #loading: Promise<void> | null = null;
  #saving: Promise<void> | null = null;
  #setCookie: string | null = null;

  constructor(settings: SessionSettings, request: RequestHead) {
    this.#settings = settings;
    this.#request = request;
    this.#place = settings.placeOf(request);
  }

  get isNew(): boolean {
    return this.#read().isNew;
  }

  get principal(): Principal | null {
    return this.#read().principal;
  }

  get(key: string): JsonValue | undefined {
    return this.#read().get(key);
  }

  has(key: string): boolean {
    return this.#read().get(key) !== undefined;
  }

  keys(): string[] {
    return this.#read().keys();
  }

  /** What a layer of ours keeps beside the app's values: no app sees it, and `clear` leaves it. */
  own(name: string): JsonValue | undefined {
    return this.#read().own(name);
  }

  /** Changes what a layer of ours keeps; `null`: nothing. */
  updateOwn(name: string, change: (before: JsonValue | undefined) => JsonValue): void {
    this.#change().updateOwn(name, change);
  }

  /** Where sessions are kept, and for how long at most: for what a layer of ours must remember beside them. */
  get keeper(): { readonly store: SessionKeeper; readonly absoluteMs: number } {
    return { store: this.#place.records, absoluteMs: this.#settings.limits.absoluteMs };
  }

  set(key: string, value: JsonValue): void {
    this.#change().set(key, value);
  }

  update(key: string, change: (before: JsonValue | undefined) => JsonValue): void {
    this.#change().update(key, change);
  }

  delete(key: string): void {
    this.#change().delete(key);
  }

  clear(): void {
    this.#change().clear();
  }

  logIn(principal: Principal): void {
    this.#change().logIn(principal);
  }

  rotate(): void {
    this.#change().rotate();
  }

  end({ everywhere = false }: { everywhere?: boolean } = {}): void {
    this.#change().end(everywhere ? "everywhere" : "here");
  }

  load(): MaybePromise<void> {
    if (this.#draft !== null) return;
    if (this.#loading !== null) return this.#loading;
    const tokens = this.#place.tokens();
    if (tokens.length === 0) {
      this.#draft = new SessionDraft(null);
      return;
    }
    const loading = this.#loadFirst(tokens);
    if (isPromise(loading)) this.#loading = loading;
    return loading;
  }

  reload(): MaybePromise<void> {
    return this.#held === null ? this.load() : this.#loadFrom(this.#held.key);
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
    if (this.#hasEnded) throw endedError();
    return andThen(this.#commit(), () => {
      if (this.#hasEnded) throw endedError();
    });
  }

  /** Whether it is a session of the layer with these settings. */
  isOf(settings: SessionSettings): boolean {
    return this.#settings === settings;
  }

  /** Counts one more pass of the exchange through the layer: `dispatch` may run it through again. */
  enter(): void {
    this.#passes++;
  }

  /** After the outermost pass: saves unless the answer is an error that was thrown, and gives the answer with its cookie. */
  leave(answer: Answer, isFailure: boolean): MaybePromise<Answer> {
    if (--this.#passes > 0) return answer;
    this.#phase = "sending";
    if (isFailure) this.#draft?.drop();
    const saving = this.#saving === null ? this.#commit() : this.#saving.then(() => this.#commit());
    return isPromise(saving) ? saving.then(() => this.#finish(answer)) : this.#finish(answer);
  }

  /** The answer was thrown away by an error: nothing is saved. */
  fail(): void {
    if (--this.#passes > 0) return;
    this.#phase = "sent";
    this.#draft?.drop();
  }

  #finish(answer: Answer): Answer {
    this.#phase = "sent";
    if (!this.#isUsed && this.#setCookie === null) return answer;
    const headers = answer.kind === "accept" ? answer.headers : notShared(answer.headers);
    if (this.#setCookie !== null) return { ...answer, headers: headers.append("Set-Cookie", this.#setCookie) };
    return headers === answer.headers ? answer : { ...answer, headers };
  }

  /** Of several cookies of our name the first that names a living session is ours. */
  #loadFirst([token, ...rest]: readonly string[]): MaybePromise<void> {
    const key = keyOf(token as string);
    return andThen(this.#place.store.read(key), (record) =>
      rest.length === 0 || this.#isAlive(record) ? this.#accept(key, record) : this.#loadFirst(rest),
    );
  }

  #isAlive(record: SessionRecord | null): record is SessionRecord {
    return record !== null && isAlive(record, this.#settings.clock(), this.#settings.limits);
  }

  #loadFrom(key: string): MaybePromise<void> {
    return andThen(this.#place.store.read(key), (record) => this.#accept(key, record));
  }

  #accept(key: string, record: SessionRecord | null): void {
    const { clock, limits } = this.#settings;
    const nowMs = clock();
    const alive = record !== null && isAlive(record, nowMs, limits) ? record : null;
    this.#held = alive === null ? null : { key, record: alive };
    if (this.#draft === null) this.#draft = new SessionDraft(alive);
    else this.#draft.rebase(alive);
    const expiresMs = alive === null ? null : dueTouch(alive, nowMs, limits);
    if (expiresMs !== null) this.#touch(key, expiresMs);
  }

  #touch(key: string, expiresMs: number): void {
    const { exchange } = this.#request;
    const touching = andCatch(
      () => this.#place.store.touch(key, expiresMs),
      (err) => exchange.log.warn({ err }, "the use of a session was not noted"),
    );
    if (isPromise(touching)) exchange.onEnd(() => touching);
    this.#setCookie = this.#place.line(null) ?? this.#setCookie;
  }

  #read(): SessionDraft {
    this.#isUsed = true;
    if (this.#draft !== null) return this.#draft;
    const loading = this.load();
    if (!isPromise(loading)) return this.#draft as unknown as SessionDraft;
    loading.catch(() => {});
    throw new GatewayError("GW_SESSION_NOT_LOADED", 500, "await session.load() before the session is used");
  }

  #change(): SessionDraft {
    if (this.#phase === "open" || this.#isLateAllowed) return this.#read();
    throw new GatewayError(
      "GW_SESSION_LATE",
      500,
      "the session was changed after the head of the answer had left; use await session.save(() => …)",
    );
  }

  #commit(): MaybePromise<void> {
    const draft = this.#draft;
    if (draft === null || !draft.isChanged) return;
    const done = andThen(this.#commitEnd(draft), () => this.#commitChanges(draft));
    if (!isPromise(done)) return;
    const settled = done
      .catch(() => {})
      .then(() => {
        if (this.#saving === settled) this.#saving = null;
      });
    this.#saving = settled;
    return done;
  }

  #commitEnd(draft: SessionDraft): MaybePromise<void> {
    const { store } = this.#place;
    const held = this.#held;
    const ending = draft.takeEnding();
    if (ending === null) return;
    this.#held = null;
    this.#setCookie = this.#place.tokens().length === 0 ? null : this.#place.clear();
    if (held === null) return;
    const { user } = held.record;
    return andThen(store.end(held.key), () =>
      ending === "everywhere" && user !== null ? andThen(store.endAll(user), () => {}) : undefined,
    );
  }

  #commitChanges(draft: SessionDraft): MaybePromise<void> {
    const canIssue = this.#phase !== "sent";
    const job = draft.takeJob(canIssue);
    if (job === null) return;
    if (this.#held === null && !canIssue && this.#place.tokens().length > 0) throw endedError();
    const settings = { ...this.#settings, store: this.#place.store };
    return andThen(saveSession(settings, this.#held, job), ({ held, token, merged, wasEnded }) => {
      this.#held = held;
      this.#hasEnded = wasEnded;
      if (!wasEnded) this.#setCookie = this.#place.line(token) ?? this.#setCookie;
      const record = held?.record ?? null;
      if (wasEnded) draft.rebase(null, new Map());
      else if (merged !== null) draft.rebase(record, merged);
      else draft.saved(record);
    });
  }
}

function endedError(): GatewayError {
  return new GatewayError("GW_SESSION_ENDED", 409, "the session has ended; its change was not saved");
}
