// A middleware from steps: written once, sync and async, for requests and sockets alike.
import type { Handler, Lifecycle, Middleware } from "../model/app.ts";
import type { MaybePromise } from "../model/maybe-promise.ts";
import type { GatewayRequest } from "../model/request.ts";
import type { Answer } from "../model/response.ts";
import { isPromise } from "./and-then.ts";
import { inheritOrigin, markAsync } from "./async-origin.ts";
import { discard } from "./discard.ts";
import { dispatchDepth } from "./dispatch-depth.ts";
import { notesIfAny, notesOf } from "./notes.ts";

/** The steps of a layer. Each may answer at once or later; a layer whose steps are sync stays sync. */
export interface LayerOptions extends Lifecycle {
  /** Shown by `gw routes` and in errors. */
  name: string;
  /**
   * Before the app: returns the request to go on with (a changed copy, or the same), or an answer to give instead.
   *
   * An answer given here skips `onResponse` and `onError` of this layer.
   */
  onRequest?: (request: GatewayRequest) => MaybePromise<GatewayRequest | Answer>;
  /** After the app, before the head is sent: the answer to give. `request` is the one that `onRequest` returned. */
  onResponse?: (answer: Answer, request: GatewayRequest) => MaybePromise<Answer>;
  /** When the inside throws or rejects before the head: gives an answer (which then passes `onResponse`) or throws on. */
  onError?: (error: unknown, request: GatewayRequest) => MaybePromise<Answer>;
  /** Whether the layer is passed by when `exchange.dispatch` runs a request through it again. @default false */
  oncePerExchange?: boolean;
}

/** Makes a middleware. What happens after the head, and the end, reaches `exchange.onEnd`. */
export function layer(options: LayerOptions): Middleware {
  const { name, onRequest, onResponse, onError, oncePerExchange = false } = options;
  const wrap = (next: Handler): Handler => {
    let handle = oncePerExchange ? notePassing(next, wrap) : next;
    if (onError !== undefined) handle = withErrorStep(handle, onError, name);
    if (onResponse !== undefined) handle = withResponseStep(handle, onResponse, name);
    if (onRequest !== undefined) handle = withRequestStep(handle, onRequest, name);
    return oncePerExchange ? unlessPassed(handle, next, wrap) : handle;
  };
  return Object.assign(wrap, { layerName: name }, lifeOf(options));
}

function withRequestStep(next: Handler, step: NonNullable<LayerOptions["onRequest"]>, name: string): Handler {
  const proceed = (result: GatewayRequest | Answer): MaybePromise<Answer> => (isAnswer(result) ? result : next(result));
  return (request) => {
    const result = step(request);
    return isPromise(result) ? markAsync(result.then(proceed), name) : proceed(result);
  };
}

function withResponseStep(next: Handler, step: NonNullable<LayerOptions["onResponse"]>, name: string): Handler {
  const finish = (answer: Answer, request: GatewayRequest): MaybePromise<Answer> => {
    let result: MaybePromise<Answer>;
    try {
      result = step(answer, request);
    } catch (error) {
      return discardAndThrow(answer, error);
    }
    return isPromise(result)
      ? markAsync(
          result.catch((error: unknown) => discardAndThrow(answer, error)),
          name,
        )
      : result;
  };
  return (request) => {
    const answer = next(request);
    if (!isPromise(answer)) return finish(answer, request);
    return inheritOrigin(
      answer.then((value) => finish(value, request)),
      answer,
    );
  };
}

function withErrorStep(next: Handler, step: NonNullable<LayerOptions["onError"]>, name: string): Handler {
  return (request) => {
    let answer: MaybePromise<Answer>;
    try {
      answer = next(request);
    } catch (error) {
      const result = step(error, request);
      return isPromise(result) ? markAsync(result, name) : result;
    }
    if (!isPromise(answer)) return answer;
    return inheritOrigin(
      answer.catch((error: unknown) => step(error, request)),
      answer,
    );
  };
}

/** Notes that the layer has let the exchange pass. */
function notePassing(next: Handler, key: object): Handler {
  return (request) => {
    notesOf(request.exchange).passed.set(key, dispatchDepth(request));
    return next(request);
  };
}

/**
 * Passes by a layer that has let the exchange pass, but only for a request that was dispatched since: the same layer in
 * two alternatives of `some` must judge twice.
 */
function unlessPassed(handle: Handler, next: Handler, key: object): Handler {
  return (request) => {
    const depth = dispatchDepth(request);
    if (depth === 0) return handle(request);
    const passedAt = notesIfAny(request.exchange)?.passed.get(key);
    return passedAt !== undefined && passedAt < depth ? next(request) : handle(request);
  };
}

function discardAndThrow(answer: Answer, error: unknown): never | Promise<never> {
  const closing = discard(answer);
  if (!isPromise(closing)) throw error;
  return closing.then(() => Promise.reject(error));
}

function isAnswer(value: GatewayRequest | Answer): value is Answer {
  return value.kind === "response" || value.kind === "accept";
}

function lifeOf({ start, stop, reload, describe, status }: LayerOptions): Lifecycle {
  return {
    ...(start && { start }),
    ...(stop && { stop }),
    ...(reload && { reload }),
    ...(describe && { describe }),
    ...(status && { status }),
  };
}
