// Who is told how busy the backends of a client are: a pool, which starts and replaces them.
import type { Address, MaybePromise } from "@gw/core";

/** How an exchange ended. */
export interface ExchangeEnd {
  readonly address: Address;
  /** Whether the backend is done with the request, as far as it said so. */
  readonly isClean: boolean;
  /** What ended it, if it was not the backend. */
  readonly error: unknown;
}

/** Told of every exchange. */
export interface ClientWatcher {
  /** A request has come: it has its place at a backend, or waits for one. */
  asked(): void;
  /** Nobody listens at the address any more. @returns whether it will not be asked again, so that trying on costs nothing */
  unreachable(address: Address): boolean;
  /** An exchange is over; its place at the backend is free again when this settles. */
  ended(end: ExchangeEnd): MaybePromise<void>;
}
