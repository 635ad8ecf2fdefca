// Bodies: what a request brings and what an answer sends.
import type { HeaderList } from "./headers.ts";

/**
 * The body of a request: chunks of bytes, read on demand.
 *
 * Chunks belong to the reader once given. Stopping an iteration early is
 * fine: the carrier drains or closes (R-H8).
 *
 * @throws GatewayError `GW_BODY_USED` on a second iteration unless `replayable`;
 *   `GW_BODY_TOO_LARGE` (413) past `exchange.maxBodyBytes`; `GW_BODY_CUT` if the peer went away inside it.
 */
export interface RequestBody extends AsyncIterable<Uint8Array> {
  /** Length in bytes; `null`: not known (chunked). `0`: there is no body. */
  readonly length: number | null;
  /** Whether it can be iterated more than once. */
  readonly replayable: boolean;
  /** Bytes that have been read so far. Absent where nobody counts. */
  readonly bytesRead?: number;
  /** Reads at most this many bytes, may block; empty only at the end. Absent where the carrier cannot. */
  readSync?(maxBytes: number): Uint8Array;
  /** The trailer section, once the body was read to its end (RFC 9110 §6.5). Absent where the carrier has none. */
  trailers?(): Promise<HeaderList>;
}

/** The body of an answer. Byte chunks only; `null`: none. */
export type ResponseBody = null | Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** The body of a request that has none, a socket's for example. */
export const emptyBody: RequestBody = {
  length: 0,
  replayable: true,
  readSync: () => new Uint8Array(0),
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {},
};
