// An asynchronous session store for tests: a memory store behind promises, which can be made to hang or fail.
import type { MaybePromise } from "@gw/core";
import { memoryStore } from "../src/session/memory.ts";
import type { SessionStore } from "../src/session/store.ts";

/** What a SlowStore does with calls. */
export type StoreMood = "fine" | "failing" | "hanging";

/** A memory store that answers later, or not at all. */
export class SlowStore implements SessionStore {
  readonly isSync = false;
  readonly inner: SessionStore = memoryStore();
  /** Names of the methods called, in order. */
  readonly calls: string[] = [];
  mood: StoreMood = "fine";

  read: SessionStore["read"] = (key) => this.#later("read", () => this.inner.read(key));
  create: SessionStore["create"] = (key, record) => this.#later("create", () => this.inner.create(key, record));
  replace: SessionStore["replace"] = (key, version, record) =>
    this.#later("replace", () => this.inner.replace(key, version, record));
  move: SessionStore["move"] = (key, version, newKey, record) =>
    this.#later("move", () => this.inner.move(key, version, newKey, record));
  touch: SessionStore["touch"] = (key, expiresMs) => this.#later("touch", () => this.inner.touch(key, expiresMs));
  end: SessionStore["end"] = (key) => this.#later("end", () => this.inner.end(key));
  endAll: SessionStore["endAll"] = (user) => this.#later("endAll", () => this.inner.endAll(user));

  async #later<T>(name: string, run: () => MaybePromise<T>): Promise<T> {
    this.calls.push(name);
    if (this.mood === "hanging") return new Promise(() => {});
    if (this.mood === "failing") throw new Error("connection refused");
    await Promise.resolve();
    return run();
  }
}

/** A memory store that notes its calls. */
export function watchedStore(): SessionStore & { readonly calls: string[] } {
  const inner = memoryStore();
  const calls: string[] = [];
  const noted = <A extends unknown[], R>(name: string, run: (...args: A) => R): ((...args: A) => R) => {
    return (...args) => {
      calls.push(name);
      return run(...args);
    };
  };
  return {
    isSync: true,
    calls,
    read: noted("read", (key) => inner.read(key)),
    create: noted("create", (key, record) => inner.create(key, record)),
    replace: noted("replace", (key, version, record) => inner.replace(key, version, record)),
    move: noted("move", (key, version, newKey, record) => inner.move(key, version, newKey, record)),
    touch: noted("touch", (key, expiresMs) => inner.touch(key, expiresMs)),
    end: noted("end", (key) => inner.end(key)),
    endAll: noted("endAll", (user) => inner.endAll(user)),
  };
}
