// A body read whole, in memory and then in a spool: replayable, of known length, readable synchronously.

import { ByteQueue } from "../bytes/queue.ts";
import type { RequestBody } from "../model/body.ts";
import { GatewayError } from "../model/errors.ts";
import type { MaybePromise } from "../model/maybe-promise.ts";
import type { RequestHead } from "../model/request.ts";
import { isPromise } from "../pipeline/and-then.ts";

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
  if (fitsMemory && body.readSync !== undefined)
    return { ...request, body: withTrailers(memoryBody(readAllSync(body)), body) };
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

function readAllSync(body: RequestBody): Uint8Array {
  const read = new ByteQueue();
  for (;;) {
    const chunk = body.readSync?.(READ_BYTES);
    if (chunk === undefined || chunk.length === 0) return read.takeAll();
    read.push(chunk);
  }
}

const READ_BYTES = 65_536;

/** A body that is there already: replayable, with `readSync`. The bytes must not change. */
export function memoryBody(bytes: Uint8Array): RequestBody {
  let position = 0;
  return {
    length: bytes.length,
    replayable: true,
    readSync(maxBytes) {
      const chunk = bytes.subarray(position, position + positive(maxBytes));
      position += chunk.length;
      return chunk;
    },
    async *[Symbol.asyncIterator]() {
      if (bytes.length > 0) yield bytes;
    },
  };
}

function spooledBody(spool: Spool, length: number): RequestBody {
  let position = 0;
  return {
    length,
    replayable: true,
    readSync(maxBytes) {
      const chunk = spool.readSync(position, positive(maxBytes));
      position += chunk.length;
      return chunk;
    },
    async *[Symbol.asyncIterator]() {
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
  };
}

function withTrailers(body: RequestBody, { trailers }: RequestBody): RequestBody {
  return trailers === undefined ? body : { ...body, trailers };
}

function positive(maxBytes: number): number {
  return Math.max(1, maxBytes);
}
