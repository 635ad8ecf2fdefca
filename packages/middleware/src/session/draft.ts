// A session as one request sees and changes it, in memory: saving and loading are elsewhere.
import { GatewayError, type Principal } from "@gw/core";
import { SessionChanges, type SessionValues } from "./changes.ts";
import { type JsonValue, toJsonValue } from "./json-value.ts";
import { type SaveJob, valuesOf } from "./save.ts";
import type { SessionRecord } from "./store.ts";

const PRINCIPAL = "gw.principal";
const OWN_KEY = /^gw\./; // ours: no app can see or set them

/** How far an end reaches. */
export type SessionEnding = "here" | "everywhere";

/** The values of a session with the changes of one request. */
export class SessionDraft {
  #record: SessionRecord | null;
  #values: SessionValues | null = null;
  #changes: SessionChanges | null = null;
  #user: string | null | undefined = undefined;
  #isRotation = false;
  #ending: SessionEnding | null = null;

  /** @param record what the store holds; `null`: nothing */
  constructor(record: SessionRecord | null) {
    this.#record = record;
  }

  /** Whether anything is to be saved. */
  get isChanged(): boolean {
    return this.#changes !== null || this.#ending !== null;
  }

  /** Whether no session of this browser is in the store, as far as this request goes. */
  get isNew(): boolean {
    return this.#record === null || this.#ending !== null;
  }

  get principal(): Principal | null {
    return (this.#view().get(PRINCIPAL) as Principal | undefined) ?? null;
  }

  get(key: string): JsonValue | undefined {
    return OWN_KEY.test(key) ? undefined : this.#view().get(key);
  }

  /** What a layer of ours keeps under a name of its own. */
  own(name: string): JsonValue | undefined {
    return this.#view().get(`gw.${name}`);
  }

  /** Changes what a layer of ours keeps; merged with parallel changes as `update` is. `null`: nothing. */
  updateOwn(name: string, change: (before: JsonValue | undefined) => JsonValue): void {
    this.#update(`gw.${name}`, change);
  }

  keys(): string[] {
    return [...this.#view().keys()].filter((key) => !OWN_KEY.test(key));
  }

  set(key: string, value: JsonValue): void {
    checkKey(key);
    this.#put(key, value);
  }

  update(key: string, change: (before: JsonValue | undefined) => JsonValue): void {
    checkKey(key);
    this.#update(key, change);
  }

  #update(key: string, change: (before: JsonValue | undefined) => JsonValue): void {
    const apply = (before: JsonValue | undefined): JsonValue => toJsonValue(change(before), key);
    const after = apply(this.#view().get(key));
    this.#edit().update(key, apply, after);
    this.#view().set(key, after);
  }

  delete(key: string): void {
    checkKey(key);
    this.#view().delete(key);
    this.#edit().delete(key);
  }

  clear(): void {
    const kept = [...this.#view()].filter(([key]) => OWN_KEY.test(key)); // the user, and what belongs to the login
    this.#edit().clear();
    this.#view().clear();
    for (const [key, value] of kept) this.#put(key, value);
  }

  logIn({ user, type, groups, claims }: Principal): void {
    const before = this.#user === undefined ? (this.#record?.user ?? null) : this.#user;
    if (before !== null && before !== user) this.end("here"); // nobody gets another one's values
    this.#put(PRINCIPAL, { user, type, groups, claims });
    this.#user = user;
    this.#isRotation = true;
  }

  rotate(): void {
    this.#edit();
    this.#isRotation = true;
  }

  end(ending: SessionEnding): void {
    if (this.#ending !== "everywhere") this.#ending = ending;
    this.#changes = null;
    this.#user = undefined;
    this.#isRotation = false;
    this.#values = new Map();
  }

  /** What was taken is saved as it was; what changed since stays to be saved. */
  saved(record: SessionRecord | null): void {
    this.#record = record;
  }

  /** Goes on from what the store holds now; changes not yet saved are made again on top. */
  rebase(record: SessionRecord | null, values: SessionValues | null = null): void {
    this.#record = record;
    this.#values = values === null || this.#changes === null ? values : this.#changes.applyTo(values);
  }

  /** The end that was asked for, which is now the caller's to carry out. */
  takeEnding(): SessionEnding | null {
    const ending = this.#ending;
    this.#ending = null;
    if (ending !== null) this.#record = null;
    return ending;
  }

  /** The changes to save, which are now the caller's; `null`: none. */
  takeJob(canIssue: boolean): SaveJob | null {
    const changes = this.#changes;
    if (changes === null || (changes.isEmpty && !this.#isRotation)) return null;
    const job = { changes, values: this.#view(), user: this.#user, isRotation: this.#isRotation, canIssue };
    this.#changes = null;
    this.#user = undefined;
    this.#isRotation = false;
    return job;
  }

  /** Forgets what was not saved. */
  drop(): void {
    this.#changes = null;
    this.#ending = null;
  }

  #put(key: string, value: unknown): void {
    const copy = toJsonValue(value, key);
    this.#view().set(key, copy);
    this.#edit().set(key, copy);
  }

  #edit(): SessionChanges {
    this.#changes ??= new SessionChanges();
    return this.#changes;
  }

  #view(): SessionValues {
    if (this.#values === null) {
      const stored: SessionValues = this.#record === null ? new Map() : valuesOf(this.#record);
      this.#values = this.#changes === null ? stored : this.#changes.applyTo(stored);
    }
    return this.#values;
  }
}

function checkKey(key: string): void {
  if (!OWN_KEY.test(key)) return;
  throw new GatewayError("GW_SESSION_VALUE", 500, `session keys that begin with "gw." are ours, found ${key}`);
}
