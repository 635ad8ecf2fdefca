// Which layer made a pipeline asynchronous: so that a sync carrier can name it (GW_WSGI_ASYNC).

const origins = new WeakMap<Promise<unknown>, string>();

/** Remembers who made this promise; the first name stays. Gives the promise back. */
export function markAsync<T>(promise: Promise<T>, name: string): Promise<T> {
  if (!origins.has(promise)) origins.set(promise, name);
  return promise;
}

/** The name given to `markAsync`, or `null`. */
export function asyncOrigin(promise: Promise<unknown>): string | null {
  return origins.get(promise) ?? null;
}

/** Hands the name of a promise on to one that was chained from it. */
export function inheritOrigin<T>(chained: Promise<T>, source: Promise<unknown>, fallback: string): Promise<T> {
  return markAsync(chained, asyncOrigin(source) ?? fallback);
}
