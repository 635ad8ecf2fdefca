// Messages for the next page: "Saved." after a redirect, shown once.
import { GatewayError, layer, type Middleware, type RequestHead, type StateKey, stateKey } from "@gw/core";
import type { ActiveSession } from "./session/active.ts";
import { activeOf } from "./session/active-of.ts";
import type { JsonValue } from "./session/json-value.ts";

/** A message. */
export interface FlashMessage {
  /** Sort of message, for its look: `"info"`, `"error"`, … */
  readonly kind: string;
  /** What it says. Text, not HTML. */
  readonly text: string;
}

/** The messages of a session. With an asynchronous store and `load: "lazy"`, `await session.load()` first. */
export interface Flash {
  /** Leaves a message for the page that shows messages next. Beyond the layer's limit the oldest go. @default kind "info" */
  add(text: string, kind?: string): void;
  /** The messages, oldest first, which are then gone; kept if the request ends in a thrown error. Writes only if there are any. */
  take(): readonly FlashMessage[];
  /** The messages, which stay. */
  peek(): readonly FlashMessage[];
}

/** Settings of `flash`. */
export interface FlashOptions {
  /** Most messages kept for one session; beyond, the oldest go. @default 20 */
  maxMessages?: number;
}

const flashKey: StateKey<Flash> = stateKey("gw.flash");

/**
 * Gives the layers and apps inside it `flashOf(request)`. Put it inside `session()`.
 *
 * Messages lie in the session beside the app's values, so they are saved before a redirect leaves, survive a login and
 * `clear()`, and end with the session. Messages of parallel requests are all kept.
 */
export function flash({ maxMessages = 20 }: FlashOptions = {}): Middleware {
  return layer({
    name: "flash",
    onRequest: (request) => {
      const messages = new SessionFlash(activeOf(request), maxMessages);
      return { ...request, state: request.state.with(flashKey, messages) };
    },
  });
}

/**
 * The messages of the session.
 *
 * @throws GatewayError `GW_NO_FLASH` without a `flash()` layer around.
 */
export function flashOf(request: RequestHead): Flash {
  const found = request.state.get(flashKey);
  if (found !== undefined) return found;
  throw new GatewayError("GW_NO_FLASH", 500, "flashOf(request) needs the layer flash() around the app");
}

/** A message with its number, which grows with time: so what was taken is told from what a parallel request adds. */
type Entry = readonly [number: number, kind: string, text: string];

const PLACE = "flash";

class SessionFlash implements Flash {
  readonly #session: ActiveSession;
  readonly #maxMessages: number;

  constructor(session: ActiveSession, maxMessages: number) {
    this.#session = session;
    this.#maxMessages = maxMessages;
  }

  add(text: string, kind = "info"): void {
    this.#session.updateOwn(PLACE, (before) => {
      const entries = entriesOf(before);
      const next = Math.max(Date.now(), (entries.at(-1)?.[0] ?? 0) + 1);
      return [...entries, [next, kind, text] as const].slice(-this.#maxMessages);
    });
  }

  take(): readonly FlashMessage[] {
    const taken = entriesOf(this.#session.own(PLACE));
    const last = taken.at(-1)?.[0];
    if (last === undefined) return [];
    // What a parallel request added since has a higher number, and stays.
    this.#session.updateOwn(PLACE, (before) => {
      const left = entriesOf(before).filter(([number]) => number > last);
      return left.length === 0 ? null : left;
    });
    return taken.map(toMessage);
  }

  peek(): readonly FlashMessage[] {
    return entriesOf(this.#session.own(PLACE)).map(toMessage);
  }
}

function entriesOf(value: JsonValue | undefined): readonly Entry[] {
  return (value ?? []) as unknown as readonly Entry[];
}

function toMessage([, kind, text]: Entry): FlashMessage {
  return { kind, text };
}
