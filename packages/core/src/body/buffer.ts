// A body read whole, in memory and then in a spool: replayable, of known length, readable synchronously.

import { ByteQueue } from "../bytes/queue.ts";
import type { RequestBody } from "../model/body.ts";
import { GatewayError } from "../model/errors.ts";
import type { MaybePromise } from "../model/maybe-promise.ts";
import type { RequestHead } from "../model/request.ts";
import { isPromise } from "../pipeline/and-then.ts";
import { tooLarge } from "./incoming.ts";

/** One spooled body: bytes that are written once, in order, then read at any place. */
export interface Spool {
  /** Appends bytes; they are not changed until this has settled. May refuse with 413 or 507. */
  write(bytes: Uint8Array): MaybePromise<void>;
  /** At most `maxBytes` bytes from `position` on, without waiting for the event loop; empty only at the end. */
  readSync(position: number, maxBytes: number): Uint8Array;
  /** Like `readSync`, without blocking. */
  read(position: number, maxBytes: number): MaybePromise<Uint8Array>;
  /** Deletes it; called once, when the exchange has ended or reading failed. */
  close(): MaybePromise<void>;
}

/** Opens spools: `fileSpool()` of `@gw/core/node` keeps them in temporary files. */
export interface SpoolStore {
  open(): MaybePromise<Spool>;
}

/** Inputs of bufferBody. */
export interface BufferBodyOptions {
  /** Bytes kept in memory before the spool is used; without a spool, everything stays in memory. @default 65_536 */
  maxMemoryBytes?: number;
  /** Where larger bodies go. @default none: memory, up to `exchange.maxBodyBytes` */
  spool?: SpoolStore;
}

/**
 * A copy of the request whose body is replayable, has a known length and `readSync`.
 *
 * The request itself if that is so already, or if there is no body: then
 * nothing waits. A body that can only be read synchronously stays sync, too.
 *
 * @throws GatewayError what reading the body throws: 413 past `exchange.maxBodyBytes`, `GW_BODY_CUT`, `GW_BODY_USED`.
 */
export function bufferBody<R extends RequestHead>(request: R, options: BufferBodyOptions = {}): MaybePromise<R> {
  const { body } = request;
  if (body.length === 0 || (body.replayable && body.readSync !== undefined && body.length !== null)) return request;
  const { maxMemoryBytes = 65_536, spool } = options;
  const fitsMemory = spool === undefined || (body.length !== null && body.length <= maxMemoryBytes);
  const read = fitsMemory ? syncReaderOf(body) : null;
  if (read !== null) return { ...request, body: withTrailers(memoryBody(readAllSync(read)), body) };
  return readAll(request, fitsMemory ? Number.POSITIVE_INFINITY : maxMemoryBytes, spool);
}

async function readAll<R extends RequestHead>(
  request: R,
  maxMemoryBytes: number,
  store: SpoolStore | undefined,
): Promise<R> {
  const held = new ByteQueue();
  let spool: Spool | null = null;
  let length = 0;
  try {
    for await (const chunk of request.body) {
      length += chunk.length;
      if (spool === null && length > maxMemoryBytes && store !== undefined) {
        spool = await store.open();
        while (held.length > 0) await spool.write(held.takeSome(READ_BYTES));
      }
      if (spool === null) held.push(chunk);
      else await spool.write(chunk);
    }
  } catch (error) {
    await spool?.close();
    throw error;
  }
  if (spool === null) return { ...request, body: withTrailers(memoryBody(held.takeAll()), request.body) };
  const opened = spool;
  request.exchange.onEnd(() => opened.close());
  return { ...request, body: withTrailers(spooledBody(opened, length), request.body) };
}

/** Everything that is left to read. */
export function readAllSync(
  read: (maxBytes: number) => Uint8Array,
  maxBytes: number = Number.POSITIVE_INFINITY,
): Uint8Array {
  const held = new ByteQueue();
  for (;;) {
    const chunk = read(READ_BYTES);
    if (chunk.length === 0) return held.takeAll();
    if (held.length + chunk.length > maxBytes) throw tooLarge(maxBytes);
    held.push(chunk);
  }
}

const READ_BYTES = 65_536;

/** A body that is there already: replayable, with `readSync`. The bytes must not change. */
export function memoryBody(bytes: Uint8Array): RequestBody {
  return replayableBody({
    length: bytes.length,
    readAt: (position, maxBytes) => bytes.subarray(position, position + maxBytes),
    async *iterate() {
      if (bytes.length > 0) yield bytes;
    },
  });
}

function spooledBody(spool: Spool, length: number): RequestBody {
  return replayableBody({
    length,
    readAt: (position, maxBytes) => spool.readSync(position, maxBytes),
    async *iterate() {
      for (let at = 0; at < length; ) {
        const read = spool.read(at, READ_BYTES);
        const chunk = isPromise(read) ? await read : read;
        if (chunk.length === 0) {
          throw new GatewayError("GW_BODY_CUT", 500, `the spooled body ends after ${at} of ${length} bytes`);
        }
        at += chunk.length;
        yield chunk;
      }
    },
  });
}

type ReadAt = (position: number, maxBytes: number) => Uint8Array;

/** How to read a replayable body from its start, whoever has used its `readSync` before. */
const readersAt = new WeakMap<RequestBody, ReadAt>();

function replayableBody(source: {
  length: number;
  readAt: ReadAt;
  iterate: () => AsyncGenerator<Uint8Array>;
}): RequestBody {
  const body: RequestBody = {
    length: source.length,
    replayable: true,
    readSync: cursor(source.readAt),
    [Symbol.asyncIterator]: source.iterate,
  };
  readersAt.set(body, source.readAt);
  return body;
}

/** Reads on from where it stopped; at least one byte, so that loops end. */
function cursor(readAt: ReadAt): (maxBytes: number) => Uint8Array {
  let position = 0;
  return (maxBytes) => {
    const chunk = readAt(position, Math.max(1, maxBytes));
    position += chunk.length;
    return chunk;
  };
}

/** A blocking read of the body: from its start if it is replayable, else on from where it stopped; `null` if it has none. */
export function syncReaderOf(body: RequestBody): ((maxBytes: number) => Uint8Array) | null {
  const readAt = readersAt.get(body);
  if (readAt !== undefined) return cursor(readAt);
  return body.readSync === undefined
    ? null
    : (maxBytes) => (body.readSync as NonNullable<typeof body.readSync>)(maxBytes);
}

function withTrailers(body: RequestBody, { trailers }: RequestBody): RequestBody {
  if (trailers === undefined) return body;
  const copy = { ...body, trailers };
  readersAt.set(copy, readersAt.get(body) as ReadAt);
  return copy;
}
