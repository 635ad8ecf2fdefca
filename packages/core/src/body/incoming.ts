// The body a carrier reads off its wire: once only, within the limit, of the length announced.

import { emptyBody, type RequestBody } from "../model/body.ts";
import { GatewayError, isGatewayError } from "../model/errors.ts";
import type { HeaderList } from "../model/headers.ts";
import type { Exchange } from "../model/request.ts";
import type { ExclusiveBody } from "./exclusive.ts";

/** What a carrier knows of a body that is about to arrive. */
export interface IncomingBodyOptions {
  /** Bytes announced; `null`: not known (chunked). */
  length: number | null;
  /** Holds the limit, `maxBodyBytes`, which acts at the first read. */
  exchange: Pick<Exchange, "maxBodyBytes">;
  /** Starts reading; called at most once, at the first read (where a carrier sends `100 Continue`). */
  open: () => AsyncIterable<Uint8Array>;
  /** Whether nobody else ever sees a chunk that `open` gives. @default false */
  hasExclusiveChunks?: boolean;
  /** Blocking read of at most this many bytes, empty only at the end; for carriers that can. */
  readSync?: (maxBytes: number) => Uint8Array;
  /** The trailer section; asked for after the end (RFC 9110 §6.5). */
  trailers?: () => Promise<HeaderList>;
}

/**
 * Makes the body of a request out of a carrier's source.
 *
 * Checks what every carrier must check: a second reading throws
 * `GW_BODY_USED`; more than `exchange.maxBodyBytes`, announced or read, throws
 * `GW_BODY_TOO_LARGE` (413, R-H7); an end before the announced length, or any
 * error of the source, throws `GW_BODY_CUT` (400).
 */
export function incomingBody(options: IncomingBodyOptions): RequestBody {
  if (options.length === 0 && options.trailers === undefined) return emptyBody;
  return new IncomingBody(options);
}

class IncomingBody implements RequestBody, ExclusiveBody {
  readonly length: number | null;
  readonly replayable = false;
  // Declared only: a field would be there, undefined, also when the carrier has none.
  declare readonly readSync?: (maxBytes: number) => Uint8Array;
  declare readonly trailers?: () => Promise<HeaderList>;
  readonly #open: () => AsyncIterable<Uint8Array>;
  readonly #exchange: Pick<Exchange, "maxBodyBytes">;
  readonly #isExclusive: boolean;
  #use: "none" | "async" | "sync" = "none";
  #meter: Meter | null = null;

  constructor({ length, exchange, open, readSync, trailers, hasExclusiveChunks = false }: IncomingBodyOptions) {
    this.length = length;
    this.#open = open;
    this.#exchange = exchange;
    this.#isExclusive = hasExclusiveChunks;
    if (readSync !== undefined) this.readSync = (maxBytes) => this.#readSync(readSync, maxBytes);
    if (trailers !== undefined) this.trailers = trailers;
  }

  get bytesRead(): number {
    return this.#meter?.read ?? 0;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    this.#begin("async");
    return new IncomingIterator(this.#open, this.#startMeter());
  }

  ownsItsChunks(): boolean {
    return #isExclusive in this && this.#isExclusive;
  }

  #readSync(read: (maxBytes: number) => Uint8Array, maxBytes: number): Uint8Array {
    if (this.#use !== "sync") this.#begin("sync");
    const meter = this.#startMeter();
    let chunk: Uint8Array;
    try {
      chunk = read(maxBytes);
    } catch (error) {
      throw asCut(error);
    }
    if (chunk.length === 0) meter.end();
    else meter.add(chunk.length);
    return chunk;
  }

  #begin(use: "async" | "sync"): void {
    if (this.#use !== "none") {
      throw new GatewayError(
        "GW_BODY_USED",
        500,
        "the request body was read already; bufferBody() makes it replayable",
      );
    }
    this.#use = use;
  }

  #startMeter(): Meter {
    this.#meter ??= new Meter(this.length, this.#exchange.maxBodyBytes);
    return this.#meter;
  }
}

/** Counts a body against its announced length and its limit. */
class Meter {
  readonly #length: number | null;
  readonly #maxBytes: number;
  read = 0;

  constructor(length: number | null, maxBytes: number) {
    if (length !== null && length > maxBytes) throw tooLarge(maxBytes);
    this.#length = length;
    this.#maxBytes = maxBytes;
  }

  add(bytes: number): void {
    this.read += bytes;
    if (this.#length !== null && this.read > this.#length) throw this.#wrongLength();
    if (this.read > this.#maxBytes) throw tooLarge(this.#maxBytes);
  }

  end(): void {
    if (this.#length !== null && this.read < this.#length) throw this.#wrongLength();
  }

  #wrongLength(): GatewayError {
    return new GatewayError(
      "GW_BODY_CUT",
      400,
      `the request body has ${this.read} bytes of the ${this.#length} announced`,
    );
  }
}

class IncomingIterator implements AsyncIterator<Uint8Array> {
  readonly #open: () => AsyncIterable<Uint8Array>;
  readonly #meter: Meter;
  #source: AsyncIterator<Uint8Array> | null = null;
  #done = false;

  constructor(open: () => AsyncIterable<Uint8Array>, meter: Meter) {
    this.#open = open;
    this.#meter = meter;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#done) return END;
    let result: IteratorResult<Uint8Array>;
    try {
      this.#source ??= this.#open()[Symbol.asyncIterator]();
      result = await this.#source.next();
    } catch (error) {
      this.#done = true;
      throw asCut(error);
    }
    try {
      if (result.done) this.#meter.end();
      else this.#meter.add(result.value.length);
    } catch (error) {
      // The source is let go without waiting: it may be stuck on a peer that goes on sending.
      this.return().catch(() => {});
      throw error;
    }
    if (result.done) this.#done = true;
    return result;
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    if (!this.#done) {
      this.#done = true;
      await this.#source?.return?.();
    }
    return END;
  }
}

const END: IteratorResult<Uint8Array> = { done: true, value: undefined };

/** The error for a body beyond its limit. */
export function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError("GW_BODY_TOO_LARGE", 413, `the request body is larger than ${maxBytes} bytes`);
}

function asCut(error: unknown): unknown {
  if (isGatewayError(error)) return error;
  return new GatewayError("GW_BODY_CUT", 400, "the request body was cut off", { cause: error });
}
