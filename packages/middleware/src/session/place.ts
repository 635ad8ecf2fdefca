// Where the session of one exchange lies: in a store, under the id in the cookie, or sealed in the cookie itself.
import type { RequestHead } from "@gw/core";
import type { SessionCookie } from "./cookie.ts";
import type { SessionKeeper } from "./guarded-store.ts";

/** The place of one exchange's session. */
export interface SessionPlace {
  readonly store: SessionKeeper;
  /** For what layers of ours remember beside sessions. */
  readonly records: SessionKeeper;
  /** The ids that the client may mean: of several cookies of our name only one may be ours. Few, none twice, in their order. */
  tokens(): readonly string[];
  /** Set-Cookie that the answer needs after a save or a touch; `null`: none. @param token a new id; `null`: the old one stays */
  line(token: string | null): string | null;
  /** Set-Cookie that takes the session back. */
  clear(): string;
}

/** A session in a store. */
export class StoredPlace implements SessionPlace {
  readonly store: SessionKeeper;
  readonly #cookie: SessionCookie;
  readonly #request: RequestHead;

  constructor(store: SessionKeeper, cookie: SessionCookie, request: RequestHead) {
    this.store = store;
    this.#cookie = cookie;
    this.#request = request;
  }

  get records(): SessionKeeper {
    return this.store;
  }

  tokens(): readonly string[] {
    return this.#cookie.tokens(this.#request);
  }

  line(token: string | null): string | null {
    return token === null ? null : this.#cookie.write(token, this.#request);
  }

  clear(): string {
    return this.#cookie.clear(this.#request);
  }
}
