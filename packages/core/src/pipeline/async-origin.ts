// Which layer made a pipeline asynchronous: so that a sync carrier can name it (GW_WSGI_ASYNC).

const origins = new WeakMap<Promise<unknown>, string>();

/** Remembers who made this promise; the first name stays. Gives the promise back. */
export function markAsync<T>(promise: Promise<T>, name: string): Promise<T> {
  if (!origins.has(promise)) origins.set(promise, name);
  return promise;
}

/** The name of the layer that made this promise, or `null`: then it was the app itself. */
export function asyncOrigin(promise: Promise<unknown>): string | null {
  return origins.get(promise) ?? null;
}

/**
 * Hands the name of a promise on to one that was chained from it, if it has one.
 *
 * Promises without a name get none: on the way of every asynchronous answer, an entry each would cost more than the
 * promises themselves.
 */
export function inheritOrigin<T>(chained: Promise<T>, source: Promise<unknown>): Promise<T> {
  const name = origins.get(source);
  return name === undefined ? chained : markAsync(chained, name);
}
