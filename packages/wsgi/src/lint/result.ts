// What an app returns, between it and the server, with the rules of both (PEP 3333, "Specification Details").
import type { WsgiIterable } from "../types.ts";
import { show } from "./found.ts";
import type { Tell } from "./streams.ts";

const ITERABLE = {
  id: "wsgi-result",
  sentence: "the application object must always return an iterable yielding zero or more bytestrings",
};
const START_FIRST = {
  id: "wsgi-start-first",
  sentence:
    "the application must invoke the start_response() callable before the iterable yields its first body bytestring",
};
const CONTENT_TYPE = {
  id: "wsgi-content-type",
  sentence:
    "Content-Type is given if there is content (CGI often has a default content type, but WSGI does not) (wsgiref.validate)",
};
const CLOSE = {
  id: "wsgi-close",
  sentence:
    "If the iterable returned by the application has a close() method, the server or gateway must call that method upon completion of the current request",
};
const CLOSE_ONCE = { id: "wsgi-close-once", sentence: CLOSE.sentence };
const AFTER_CLOSE = {
  id: "wsgi-read-after-close",
  sentence: "Iterator read after closed (wsgiref.validate)",
};

/** What start_response was told so far. */
export interface Started {
  /** Calls of start_response. */
  count: number;
  hasContentType: boolean;
}

/** What LintResult needs to know. */
export interface LintResultOptions {
  readonly result: WsgiIterable;
  readonly tell: Tell;
  readonly started: Readonly<Started>;
  /** Told of an iterable that was dropped without `close()`; nobody is there to catch an error then. */
  readonly onDropped: (rule: { id: string; sentence: string }) => void;
}

/** Checks a chunk that an app gives or writes. */
export function checkChunk(chunk: unknown, started: Readonly<Started>, tell: Tell): void {
  if (!(chunk instanceof Uint8Array)) return tell("app", ITERABLE, `a chunk that is ${show(chunk)}`);
  if (started.count === 0) tell("app", START_FIRST, "a chunk before start_response");
  else if (chunk.length > 0 && !started.hasContentType)
    tell("app", CONTENT_TYPE, `${chunk.length} bytes and no Content-Type`);
}

/** Checks the kind of a result: an iterable that is neither text nor bytes. */
export function checkResult(result: unknown, tell: Tell): void {
  const isIterable = typeof (result as Partial<WsgiIterable> | null | undefined)?.[Symbol.iterator] === "function";
  // Text and bytes are iterable, char by char: "a really bad idea" (wsgiref.validate).
  if (!isIterable || typeof result === "string" || result instanceof Uint8Array) tell("app", ITERABLE, show(result));
}

const dropped: FinalizationRegistry<() => void> = new FinalizationRegistry((tell) => tell());

/** Passes chunks on and checks them, and that the server closes what it was given. */
export class LintResult implements WsgiIterable {
  /** As the app's iterable has it: `len(iterable)`. */
  readonly length?: number;
  readonly #options: LintResultOptions;
  #isClosed = false;

  constructor(options: LintResultOptions) {
    this.#options = options;
    const { length } = options.result as { readonly length?: unknown };
    if (typeof length === "number") this.length = length;
    const { onDropped } = options;
    if (options.result.close !== undefined) dropped.register(this, () => onDropped(CLOSE), this);
  }

  *[Symbol.iterator](): Generator<Uint8Array> {
    const { result, tell, started } = this.#options;
    for (const chunk of result) {
      if (this.#isClosed) tell("server", AFTER_CLOSE, "a further read");
      checkChunk(chunk, started, tell);
      yield chunk;
    }
  }

  close(): void {
    if (this.#isClosed) this.#options.tell("server", CLOSE_ONCE, "a second close()");
    this.#isClosed = true;
    dropped.unregister(this);
    this.#options.result.close?.();
  }
}
