// Sessions: what a browser's requests have in common, kept on the server (R-M8, R-M9).
import { andThen, type Lifecycle, layer, type Middleware, type RequestHead, startOnce, stopOnce } from "@gw/core";
import { isThrown } from "./pages/thrown.ts";
import { isSealedForm } from "./secrets/sealer.ts";
import { ActiveSession, type SessionSettings } from "./session/active.ts";
import { activeOf, sessionKey } from "./session/active-of.ts";
import { type Clock, createClock } from "./session/clock.ts";
import { SessionCookie, type SessionCookieOptions } from "./session/cookie.ts";
import { EndedList } from "./session/ended-list.ts";
import { guardStore } from "./session/guarded-store.ts";
import type { JsonValue } from "./session/json-value.ts";
import { localStore } from "./session/local.ts";
import { memoryStore } from "./session/memory.ts";
import { StoredPlace } from "./session/place.ts";
import type { SealedStore } from "./session/sealed.ts";
import { SealedPlace } from "./session/sealed-place.ts";
import type { Session } from "./session/session.ts";
import type { SessionStore } from "./session/store.ts";
import { isToken } from "./session/token.ts";

export type { SessionCookieOptions } from "./session/cookie.ts";
export { SessionStoreError } from "./session/guarded-store.ts";
export type { Immutable, JsonValue } from "./session/json-value.ts";
export { type LocalStoreOptions, localStore } from "./session/local.ts";
export type { Session } from "./session/session.ts";
export type { SessionRecord, SessionStore } from "./session/store.ts";

/** Settings of `session`. */
export interface SessionOptions {
  /** Where sessions are kept. @default localStore(): on disk, below `.gw` in the working directory */
  store?: SessionStore | SealedStore;
  /** The cookie that carries the id. @default { name: "sid", path: "/", sameSite: "lax" } */
  cookie?: SessionCookieOptions;
  /** A session not used for this long has ended, milliseconds. @default 1_800_000 (30 minutes) */
  idleMs?: number;
  /** A session this old has ended, used or not, milliseconds. @default 86_400_000 (24 hours) */
  absoluteMs?: number;
  /**
   * `"lazy"`: read from the store when first used; free when it is not. `"eager"`: read before the app is called.
   * With an asynchronous store and `"lazy"`, apps must `await session.load()` first.
   *
   * @default "lazy" for a synchronous store, "eager" for an asynchronous one
   */
  load?: "lazy" | "eager";
  /** Longest wait for an asynchronous store, milliseconds; then the answer is 503. @default 1_000 */
  storeTimeoutMs?: number;
  /** Most characters of one session's data, as JSON. @default 65_536 */
  maxChars?: number;
}

/**
 * Gives the layers and apps inside it `sessionOf(request)`.
 *
 * Written before the head leaves, so that the next request, after a redirect
 * for example, sees it. Works in front of sockets: their cookie goes out with
 * the accept head. With a synchronous store it makes no promise.
 *
 * What is inside does not see the session's cookie in `request.headers`, unless `cookie.forward` says so: apps that are
 * handed the request cannot act as the user elsewhere. Inside another `session()` it is that one's session.
 */
export function session(options: SessionOptions = {}): Middleware {
  const { idleMs = 1_800_000, absoluteMs = 86_400_000, storeTimeoutMs = 1_000, maxChars = 65_536 } = options;
  const { store = localStore(), cookie: { forward = false, ...cookieOptions } = {} } = options;
  const { load = store.isSync ? "lazy" : "eager" } = options;
  const limits = { idleMs, absoluteMs };
  const clock = createClock();
  const cookie = new SessionCookie(cookieOptions);
  const settings = {
    ...placesOf(store, cookie, { clock, storeTimeoutMs, absoluteMs }),
    clock,
    limits,
    maxChars,
  };
  const isOurs = settings.isSealed ? isSealedForm : isToken;
  let isSaid = options.store === undefined && options.cookie === undefined;
  return layer({
    name: "session",
    ...lifeOf(store, load),
    onRequest(request) {
      const outer = request.state.get(sessionKey);
      if (outer !== undefined) {
        outer.enter(); // a dispatch inside the same exchange, or a session() inside another
        if (!isSaid && !outer.isOf(settings)) {
          isSaid = true;
          request.exchange.log.warn({ layer: "session" }, IGNORED);
        }
        return request;
      }
      const active = new ActiveSession(settings, request);
      const headers = forward ? request.headers : cookie.hidden(request.headers, isOurs);
      const entered = { ...request, headers, state: request.state.with(sessionKey, active) };
      return load === "lazy" ? entered : andThen(active.load(), () => entered);
    },
    onResponse: (answer, request) => activeOf(request).leave(answer, isThrown(answer, request)),
    onError(error, request) {
      activeOf(request).fail();
      throw error;
    },
  });
}

/**
 * The session of the exchange. `T` names its values: `sessionOf<{ cart: string[] }>(request).get("cart")`.
 *
 * @throws GatewayError `GW_NO_SESSION` without a `session()` layer around.
 */
export function sessionOf<T extends object = Record<string, JsonValue>>(request: RequestHead): Session<T> {
  return activeOf(request) as unknown as Session<T>;
}

/** What of a session another thread or process is given: plain JSON, which nothing saves. */
export interface SessionCopy {
  /** Who is logged in, or `null`. */
  readonly user: string | null;
  /** The values asked for, of those that are there. */
  readonly values: Readonly<Record<string, JsonValue>>;
}

/**
 * A copy of the session, for apps that have none: `wsgiThreads(file, { keys: (request) => ({ "gw.session": sessionCopy(request, ["cart"]) }) })`.
 *
 * Changes of the copy change nothing: what such an app wants kept, it says in its answer. Reads the session, so it throws
 * what `get` throws.
 *
 * @param keys which values go along. @default all
 */
export function sessionCopy(request: RequestHead, keys?: readonly string[]): SessionCopy {
  const active = activeOf(request);
  const entries = (keys ?? active.keys()).map((key) => [key, active.get(key)] as const);
  const values = Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as Record<string, JsonValue>;
  return Object.freeze({ user: active.principal?.user ?? null, values: Object.freeze(values) });
}

/** Whether there is a `session()` layer around, so that `sessionOf` will not throw. */
export function hasSession(request: RequestHead): boolean {
  return request.state.get(sessionKey) !== undefined;
}

const IGNORED = "a session() inside another one is that one's session: its own store and cookie mean nothing";

type Places = Pick<SessionSettings, "store" | "placeOf" | "isSealed">;

function placesOf(
  given: SessionStore | SealedStore,
  cookie: SessionCookie,
  { clock, storeTimeoutMs, absoluteMs }: { clock: Clock; storeTimeoutMs: number; absoluteMs: number },
): Places {
  if (!("kind" in given)) {
    const store = guardStore(given, storeTimeoutMs);
    return { store, isSealed: false, placeOf: (request) => new StoredPlace(store, cookie, request) };
  }
  const records = guardStore(given.ended ?? memoryStore(), storeTimeoutMs);
  const ended = given.ended === null ? null : new EndedList(records);
  const settings = { sealer: given.sealer, cookie, ended, records, clock, absoluteMs };
  return { store: records, isSealed: true, placeOf: (request) => new SealedPlace(settings, request) };
}

function lifeOf(
  store: SessionStore | SealedStore,
  load: string,
): Pick<Lifecycle, "start" | "stop" | "status" | "describe"> {
  return {
    describe: () => ({
      kind: "layer",
      name: "session",
      facts: { load },
      ...(store.describe && { children: [store.describe()] }),
    }),
    start: (context) => startOnce(store, context),
    stop: (deadline) => stopOnce(store, deadline),
    ...(store.status && { status: () => store.status?.() ?? { name: "session", state: "ready", error: null } }),
  };
}
