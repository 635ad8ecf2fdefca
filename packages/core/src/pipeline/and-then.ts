// Sync stays sync: a step after a value that may be there already.
import type { MaybePromise } from "../model/maybe-promise.ts";

/** Whether a value is a promise (anything with `then`). */
export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

/**
 * Calls `next` with the value: at once when it is no promise, so that a chain of sync steps makes no promise at all.
 *
 * A throw of `next` is a throw when the value was there, a rejection when it was not.
 */
export function andThen<T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return isPromise(value) ? value.then(next) : next(value);
}

/** Like `try { return run() } catch (error) { return recover(error) }`, for sync throws and rejections alike. */
export function andCatch<T>(run: () => MaybePromise<T>, recover: (error: unknown) => MaybePromise<T>): MaybePromise<T> {
  let value: MaybePromise<T>;
  try {
    value = run();
  } catch (error) {
    return recover(error);
  }
  return isPromise(value) ? value.then(undefined, recover) : value;
}
