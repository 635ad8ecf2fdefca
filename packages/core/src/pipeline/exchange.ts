// The exchange that carriers open for each request and end when the answer is out.
import { GatewayError } from "../model/errors.ts";
import type { Logger } from "../model/log.ts";
import type { MaybePromise } from "../model/maybe-promise.ts";
import type { Exchange, HttpRequest, Outcome } from "../model/request.ts";
import type { Answer } from "../model/response.ts";
import { isPromise } from "./and-then.ts";
import { dispatchDepth, oneDeeper } from "./dispatch-depth.ts";
import type { Runtime } from "./runtime.ts";

const MAX_DISPATCH_DEPTH = 10; // R-C8

type EndListener = (outcome: Outcome) => MaybePromise<void>;

/**
 * The Exchange of one request, as its carrier sees it: `end` settles it.
 *
 * Id, logger and listeners are made on first use; most requests need none.
 * Carriers that can send 103 extend the class with `inform`.
 */
export class OpenExchange implements Exchange {
  maxBodyBytes: number;
  readonly #runtime: Runtime;
  #id: string | null;
  #log: Logger | null = null;
  #listeners: EndListener[] | null = null;
  #outcome: Outcome | null = null;

  constructor(runtime: Runtime, id: string | null = null) {
    this.#runtime = runtime;
    this.#id = id;
    this.maxBodyBytes = runtime.maxBodyBytes;
  }

  get id(): string {
    this.#id ??= crypto.randomUUID();
    return this.#id;
  }

  get log(): Logger {
    this.#log ??= this.#runtime.log.child({ requestId: this.id });
    return this.#log;
  }

  dispatch(request: HttpRequest): MaybePromise<Answer> {
    if (dispatchDepth(request) >= MAX_DISPATCH_DEPTH) {
      throw new GatewayError(
        "GW_DISPATCH_DEPTH",
        502,
        `more than ${MAX_DISPATCH_DEPTH} internal redirects, the last to ${JSON.stringify(request.path)}`,
      );
    }
    return this.#runtime.answer(oneDeeper(request));
  }

  onEnd(fn: EndListener): void {
    if (this.#outcome !== null) {
      this.#runtime.track(this.#call(fn, this.#outcome));
      return;
    }
    this.#listeners ??= [];
    this.#listeners.push(fn);
  }

  /** For the carrier: the exchange has ended. Runs the listeners once; later calls do nothing. */
  end(outcome: Outcome): void {
    if (this.#outcome !== null) return;
    this.#outcome = outcome;
    if (this.#listeners === null) return;
    for (const fn of this.#listeners) this.#runtime.track(this.#call(fn, outcome));
    this.#listeners = null;
  }

  #call(fn: EndListener, outcome: Outcome): MaybePromise<void> {
    try {
      const done = fn(outcome);
      return isPromise(done) ? done.catch((error: unknown) => this.#failed(error)) : undefined;
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    this.log.error({ err: error }, "an onEnd listener failed");
  }
}
