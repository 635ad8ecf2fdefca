/** A value that may be there already or arrive later. Code that gets one uses `andThen`, so that sync stays sync. */
export type MaybePromise<T> = T | Promise<T>;
