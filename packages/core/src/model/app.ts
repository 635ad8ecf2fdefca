// Handlers, apps and middleware: the pipeline's three shapes.
import type { BackendState } from "./backend.ts";
import type { AppContext } from "./context.ts";
import type { MaybePromise } from "./maybe-promise.ts";
import type { GatewayRequest } from "./request.ts";
import type { Answer } from "./response.ts";

/** What an app or layer is, for `gw routes` and `gw explain`. */
export interface Description {
  /** Sort of thing: `"layer"`, `"mount"`, `"wsgi"`, `"cgi"`. */
  readonly kind: string;
  /** Its name for people: `"session"`, `"./cgi-bin"`. */
  readonly name: string;
  /** Where it sits: a mount's path or host. */
  readonly at?: string;
  /** Facts worth showing; no secrets. */
  readonly facts?: Readonly<Record<string, string | number | boolean>>;
  /** What it contains, in the order a request meets it. */
  readonly children?: readonly Description[];
}

/** How an app or layer is doing, for the status page. */
export interface Status {
  readonly name: string;
  readonly state: BackendState;
  /** The last error's first line; `null` while all is well. */
  readonly error: string | null;
  /** Numbers worth showing. */
  readonly facts?: Readonly<Record<string, string | number>>;
  readonly children?: readonly Status[];
}

/** Slots that run for the whole tree: `start` in order, `stop` in reverse. */
export interface Lifecycle {
  /** Called once before the first request. Throwing stops the gateway. */
  readonly start?: (context: AppContext) => MaybePromise<void>;
  /** Called once after the last request; the signal fires at the deadline. */
  readonly stop?: (deadline: AbortSignal) => MaybePromise<void>;
  /** Reads files, keys or backends anew without dropping a request. */
  readonly reload?: () => Promise<void>;
  readonly describe?: () => Description;
  readonly status?: () => Status;
}

/** Answers a request, at once or later. */
export type Handler = (request: GatewayRequest) => MaybePromise<Answer>;

/** A handler with a life. */
export interface App extends Lifecycle {
  readonly handle: Handler;
}

/** An app, or a bare handler where no life is needed. */
export type AppSource = App | Handler;

/** Wraps a handler; applied once, when the pipeline is composed. */
export interface Middleware extends Lifecycle {
  (next: Handler): Handler;
  /** Shown by `gw routes` and in errors. */
  readonly layerName?: string;
}
