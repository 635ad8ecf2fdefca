// A promise with its two ends apart. (Promise.withResolvers is not in Node 20.)

/** A promise that is settled from outside. Its rejection may go unheard: it is no unhandled one. */
export class Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;

  constructor() {
    let resolve: (value: T) => void = () => {};
    let reject: (error: unknown) => void = () => {};
    this.promise = new Promise<T>((yes, no) => {
      resolve = yes;
      reject = no;
    });
    this.promise.catch(() => {});
    this.resolve = resolve;
    this.reject = reject;
  }
}
