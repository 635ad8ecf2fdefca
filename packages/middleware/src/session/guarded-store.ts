// A store whose outage is a 503 within a second, never a wait and never a guess (R-O6).
import { andCatch, GatewayError, isGatewayError, isPromise, type MaybePromise } from "@gw/core";
import type { SessionStore } from "./store.ts";

/** The session store cannot do its work. */
export class SessionStoreError extends GatewayError {
  override readonly name = "SessionStoreError";

  constructor(message: string, options?: ErrorOptions) {
    super("GW_SESSION_STORE", 503, message, options);
  }
}

/** The part of a store that requests use. */
export type SessionKeeper = Omit<SessionStore, "start" | "stop" | "reload" | "describe" | "status">;

/** The store with every failure as a SessionStoreError, and every wait ended after `timeoutMs`. */
export function guardStore(store: SessionStore, timeoutMs: number): SessionKeeper {
  const guarded = <T>(what: string, run: () => MaybePromise<T>): MaybePromise<T> =>
    andCatch(
      () => {
        const result = run();
        return isPromise(result) ? withinTime(result, what, timeoutMs) : result;
      },
      (cause) => {
        if (isGatewayError(cause, "GW_SESSION_STORE")) throw cause;
        throw new SessionStoreError(`the session store failed to ${what}`, { cause });
      },
    );
  return {
    isSync: store.isSync,
    read: (key) => guarded("read", () => store.read(key)),
    create: (key, record) => guarded("create", () => store.create(key, record)),
    replace: (key, version, record) => guarded("replace", () => store.replace(key, version, record)),
    move: (key, version, newKey, record) => guarded("move", () => store.move(key, version, newKey, record)),
    touch: (key, expiresMs) => guarded("touch", () => store.touch(key, expiresMs)),
    end: (key) => guarded("end", () => store.end(key)),
    endAll: (user) => guarded("endAll", () => store.endAll(user)),
  };
}

function withinTime<T>(work: Promise<T>, what: string, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new SessionStoreError(`the session store took longer than ${timeoutMs} ms to ${what}`));
    }, timeoutMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
