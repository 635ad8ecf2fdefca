// Which layer made a pipeline asynchronous: so that a sync carrier can name it (GW_WSGI_ASYNC).

// A property of the promise: on the way of every asynchronous answer, a WeakMap would cost more than the promises
// themselves (150 ns against 60 ns for each, Node 24). Registered, so that two installed copies of gw agree.
const ORIGIN = Symbol.for("gw.async-origin");

interface Marked {
  [ORIGIN]?: string;
}

/** Remembers who made this promise; the first name stays. Gives the promise back. */
export function markAsync<T>(promise: Promise<T>, name: string): Promise<T> {
  const marked = promise as Promise<T> & Marked;
  if (marked[ORIGIN] === undefined && Object.isExtensible(promise)) marked[ORIGIN] = name;
  return promise;
}

/** The name of the layer that made this promise, or `null`: then it was the app itself. */
export function asyncOrigin(promise: Promise<unknown>): string | null {
  return (promise as Promise<unknown> & Marked)[ORIGIN] ?? null;
}

/** Hands the name of a promise on to one that was chained from it, if it has one. */
export function inheritOrigin<T>(chained: Promise<T>, source: Promise<unknown>): Promise<T> {
  const name = (source as Promise<unknown> & Marked)[ORIGIN];
  return name === undefined ? chained : markAsync(chained, name);
}
