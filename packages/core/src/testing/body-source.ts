// A body whose every chunk is in the test's hand: shows who reads when, and who stops reading.

/** A body under control. */
export interface BodySource {
  /** The body: iterate it once. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Gives a chunk; settles when the reader has asked for the one after it, so when it is done with this one. */
  push(chunk: Uint8Array): Promise<void>;
  /** The end of the body. */
  end(): void;
  /** The body fails: the reader's next read rejects with this error. */
  fail(error: unknown): void;
  /** How often the reader has asked for a chunk. */
  readonly asked: number;
  /** Settles when the reader asks for the next chunk that is not there yet, or at once if it does already. */
  whenAsked(): Promise<void>;
  /** Whether the reader has stopped early (`return`). */
  readonly isReturned: boolean;
  /** Settles when the reader stops early. */
  readonly returned: Promise<void>;
}

type Step = { readonly chunk: Uint8Array; readonly taken: () => void } | { readonly error: unknown } | null;

/** Makes a controllable body source, for tests of back-pressure, cuts and early stops. */
export function bodySource(): BodySource {
  const steps: Step[] = [];
  let waiting: { resolve: (result: IteratorResult<Uint8Array>) => void; reject: (error: unknown) => void } | null =
    null;
  let asked = 0;
  let isReturned = false;
  let given: (() => void) | null = null;
  const watchers: (() => void)[] = [];
  let markReturned = (): void => {};
  const returned = new Promise<void>((resolve) => {
    markReturned = resolve;
  });

  const deliver = (): void => {
    if (waiting === null || steps.length === 0) return;
    const { resolve, reject } = waiting;
    const step = steps.shift() as Step;
    waiting = null;
    if (step === null) resolve({ done: true, value: undefined });
    else if ("error" in step) reject(step.error);
    else {
      given = step.taken;
      resolve({ done: false, value: step.chunk });
    }
  };
  const add = (step: Step): void => {
    steps.push(step);
    deliver();
  };
  const iterator: AsyncIterator<Uint8Array> = {
    next() {
      asked++;
      given?.();
      given = null;
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        deliver();
        if (waiting !== null) for (const watcher of watchers.splice(0)) watcher();
      });
    },
    async return() {
      isReturned = true;
      given?.();
      markReturned();
      waiting?.resolve({ done: true, value: undefined });
      return { done: true, value: undefined };
    },
  };
  return {
    body: { [Symbol.asyncIterator]: () => iterator },
    push: (chunk) => new Promise((taken) => add({ chunk, taken })),
    end: () => add(null),
    fail: (error) => add({ error }),
    get asked() {
      return asked;
    },
    whenAsked: () => (waiting === null ? new Promise((resolve) => void watchers.push(resolve)) : Promise.resolve()),
    get isReturned() {
      return isReturned;
    },
    returned,
  };
}
