// What one request changed in a session: so that parallel requests merge instead of overwriting each other (R-M9).
import type { JsonValue } from "./json-value.ts";

/** The values of a session by key. A Map, so no key (`__proto__`) can mean anything else. */
export type SessionValues = Map<string, JsonValue>;

/** A change of one value. `apply` may run again, on what a parallel request has saved. */
type Change =
  | { readonly kind: "set"; readonly value: JsonValue }
  | { readonly kind: "delete" }
  | { readonly kind: "update"; readonly apply: (before: JsonValue | undefined) => JsonValue };

/** The changes of one request, by key, in a form that can be applied to any state of the session. */
export class SessionChanges {
  readonly #byKey: Map<string, Change> = new Map();
  #isCleared = false;

  /** Whether there is anything to save. */
  get isEmpty(): boolean {
    return this.#byKey.size === 0 && !this.#isCleared;
  }

  set(key: string, value: JsonValue): void {
    this.#byKey.set(key, { kind: "set", value });
  }

  delete(key: string): void {
    this.#byKey.set(key, { kind: "delete" });
  }

  /** Drops every value, those that parallel requests save included. */
  clear(): void {
    this.#byKey.clear();
    this.#isCleared = true;
  }

  /** @param after what `apply` gave for the value as this request saw it. */
  update(key: string, apply: (before: JsonValue | undefined) => JsonValue, after: JsonValue): void {
    const earlier = this.#byKey.get(key);
    if (earlier === undefined) this.#byKey.set(key, { kind: "update", apply });
    else if (earlier.kind !== "update") this.set(key, after);
    else this.#byKey.set(key, { kind: "update", apply: (before) => apply(earlier.apply(before)) });
  }

  /** The values with the changes made. */
  applyTo(before: ReadonlyMap<string, JsonValue>): SessionValues {
    const after: SessionValues = this.#isCleared ? new Map() : new Map(before);
    for (const [key, change] of this.#byKey) {
      if (change.kind === "set") after.set(key, change.value);
      else if (change.kind === "delete") after.delete(key);
      else after.set(key, change.apply(after.get(key)));
    }
    return after;
  }
}
