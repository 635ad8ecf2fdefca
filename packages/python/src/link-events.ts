// What a link tells: its streams of their answers, its owner of the worker.
import type { GatewayError } from "@gw/core";

/** What a request or socket hears of its worker. */
export interface LinkStream {
  /** When it was given to the worker, monotonic milliseconds. */
  readonly startedAt: number;
  /** A whole answer, or (`hasMore`) its head and first bytes. */
  head(head: ResponseHead, body: Uint8Array, hasMore: boolean): void;
  chunk(bytes: Uint8Array, isLast: boolean): void;
  /** An answer whose body is part of a file; it is told by `opened` whether we have it. */
  file(head: ResponseHead, part: FilePart): void;
  trailers(flat: string[]): void;
  early(flat: string[]): void;
  /** The app has used this many bytes of what it was sent. */
  credit(bytes: number): void;
  /** The app has failed; its worker goes on. */
  fail(message: string): void;
  accept(subprotocol: string | null, flat: string[]): void;
  message(message: string | Uint8Array): void;
  close(code: number, reason: string): void;
  /** The worker has as many sockets as it may: the opening did not reach the app. */
  busy(): void;
  /** The worker is gone. */
  lost(error: GatewayError): void;
}

/** Status and fields of an answer. */
export interface ResponseHead {
  readonly status: number;
  /** `[name, value, …]` */
  readonly flat: string[];
  /** Whether trailers come after the body. */
  readonly hasTrailers: boolean;
}

/** Bytes of a file. */
export interface FilePart {
  readonly path: string;
  readonly first: number;
  readonly count: number;
}

/** What the owner of a link hears. */
export interface LinkEvents {
  ready(facts: Readonly<Record<string, unknown>>): void;
  failed(stage: string, message: string): void;
  files(paths: readonly string[]): void;
  pong(): void;
  /** The worker has others to serve, too: this many requests at a time may be ours. */
  limit(count: number): void;
  /** The worker broke the protocol: it is not to be used any more. */
  broken(error: GatewayError): void;
  /** A stream has ended, or become an open socket: there may be room for another request. */
  released(): void;
}
