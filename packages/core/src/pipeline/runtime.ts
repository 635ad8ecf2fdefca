// What every carrier needs to run an app: guarded answers, start, and a stop that waits for what is still under way.
import type { App, AppSource, Handler } from "../model/app.ts";
import type { AppContext } from "../model/context.ts";
import type { Logger } from "../model/log.ts";
import type { MaybePromise } from "../model/maybe-promise.ts";
import type { GatewayRequest } from "../model/request.ts";
import type { Answer } from "../model/response.ts";
import { isPromise } from "./and-then.ts";
import { toApp } from "./app-source.ts";
import { guard } from "./guard.ts";
import { startOnce, stopOnce } from "./lifecycle.ts";

/** Default limit of a request body: 10 MB (R-H7). */
export const DEFAULT_MAX_BODY_BYTES = 10_000_000;

/** Inputs of a Runtime. */
export interface RuntimeOptions {
  /** Given to `start`, and the source of the log. */
  context: AppContext;
  /** Limit of a request body, bytes. @default 10_000_000 */
  maxBodyBytes?: number;
}

/** One app as run by one carrier. Shared by all of the carrier's exchanges. */
export class Runtime {
  readonly app: App;
  readonly context: AppContext;
  readonly maxBodyBytes: number;
  readonly log: Logger;
  readonly #guarded: Handler;
  readonly #pending: Set<Promise<void>> = new Set();

  constructor(source: AppSource, { context, maxBodyBytes = DEFAULT_MAX_BODY_BYTES }: RuntimeOptions) {
    this.app = toApp(source);
    this.context = context;
    this.maxBodyBytes = maxBodyBytes;
    this.log = context.log;
    this.#guarded = guard(this.app.handle);
  }

  /** The app's answer; what it throws, or what does not fit the request, has become a response. Never throws, never rejects. */
  answer(request: GatewayRequest): MaybePromise<Answer> {
    return this.#guarded(request);
  }

  /** Starts the app's tree. */
  async start(): Promise<void> {
    await startOnce(this.app, this.context);
  }

  /** Waits for `afterResponse` tasks and end listeners, at most until the deadline, then stops the app's tree. */
  async stop(deadline: AbortSignal): Promise<void> {
    await Promise.race([this.#settled(), aborted(deadline)]);
    await stopOnce(this.app, deadline);
  }

  /** Keeps a promise in mind until it settles, so that `stop` waits for it. */
  track(work: MaybePromise<void>): void {
    if (!isPromise(work)) return;
    const forget = (): void => void this.#pending.delete(tracked);
    const tracked = work.then(forget, forget);
    this.#pending.add(tracked);
  }

  async #settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
