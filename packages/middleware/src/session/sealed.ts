// Sessions sealed in their cookies: no store for their data, only for which of them have ended.
import type { AppContext, Description, Lifecycle, MaybePromise } from "@gw/core";
import { andThen, startOnce, stopOnce } from "@gw/core";
import { Sealer } from "../secrets/sealer.ts";
import { EndedList } from "./ended-list.ts";
import { guardStore } from "./guarded-store.ts";
import { localStore } from "./local.ts";
import type { SessionStore } from "./store.ts";

/** Settings of `sealedStore`. */
export interface SealedStoreOptions {
  /** What keys are made from, each at least 32 characters or bytes: the first seals, all open. Keep them secret. */
  secrets: readonly (string | Uint8Array)[];
  /**
   * Remembers which sessions have ended, until their cookies would have anyway; gateways on several machines need a shared
   * one, such as `redisStore`. `false`: nowhere. Then whoever copied a cookie before a logout stays logged in with it
   * until the idle limit, and "log out everywhere" does nothing.
   *
   * @default localStore(): on disk, below `.gw` in the working directory
   */
  ended?: SessionStore | false;
}

/** What `session` takes in place of a store. */
export interface SealedStore extends Lifecycle {
  readonly kind: "sealed";
  readonly isSync: boolean;
  readonly sealer: Sealer;
  /** Where ends are remembered; `null`: nowhere. */
  readonly ended: SessionStore | null;
  /** Ends every session of a user that has begun until now. @param absoluteMs that of the layer. @default 86_400_000 */
  endAll(user: string, absoluteMs?: number): MaybePromise<void>;
}

/**
 * Keeps sessions in their own cookies, encrypted: at most some 2,900 bytes of JSON each.
 *
 * What a cookie cannot do: of parallel requests the last answer's session stays, whole; a client can send an older cookie of
 * a session that lives, and what it held comes back; changes after the head of the answer throw `GW_SESSION_LATE`.
 *
 * @throws GatewayError `GW_SECRETS` for secrets that are too short, or none.
 */
export function sealedStore({ secrets, ended = localStore() }: SealedStoreOptions): SealedStore {
  const store = ended === false ? null : ended;
  return {
    kind: "sealed",
    isSync: store?.isSync ?? true,
    sealer: new Sealer(secrets, "session", ""),
    ended: store,
    start: (context: AppContext) => (store === null ? undefined : startOnce(store, context)),
    stop: (deadline: AbortSignal) => (store === null ? undefined : stopOnce(store, deadline)),
    describe: (): Description => ({
      kind: "session store",
      name: "sealed cookies",
      ...(store?.describe && { children: [store.describe()] }),
    }),
    ...(store?.status && { status: store.status.bind(store) }),
    endAll(user, absoluteMs = 86_400_000) {
      if (store === null) return;
      const list = new EndedList(guardStore(store, 1_000));
      return andThen(list.addUser(user, Date.now(), Date.now() + absoluteMs), () => {});
    },
  };
}
