// An answer as a CGI program writes it: header block, then the body (RFC 3875 §6).
import {
  andThen,
  discard,
  type HttpRequest,
  type HttpResponse,
  isBodiless,
  type MaybePromise,
  pumpBody,
  withoutTrailers,
  writeAnswerBlock,
} from "@gw/core";

/** Where an answer goes. */
export interface AnswerTarget {
  /** Takes bytes of the header block and the body; a promise settles when there is room for more. */
  write(chunk: Uint8Array): MaybePromise<void>;
}

/**
 * Writes the answer, body at the reader's pace, and closes it. A small answer is one write.
 *
 * Without a body for HEAD, 204 and 304. Trailers have no place in CGI and are not asked for.
 *
 * @returns body bytes written.
 * @throws what `write` or the body threw; the answer is then cut.
 */
export async function sendAnswer(answer: HttpResponse, request: HttpRequest, target: AnswerTarget): Promise<number> {
  const { status, body } = answer;
  const block = writeAnswerBlock(answer);
  if (body === null || isBodiless(request.method, status)) {
    await discard(answer);
    await target.write(block);
    return 0;
  }
  const writer = new BlockFirst(block, target);
  // A body that has nothing yet must not hold back the header block.
  const isLate = setImmediate(() => writer.writeBlock());
  try {
    const { bytesSent } = await pumpBody(withoutTrailers(answer), {
      write: (chunk) => writer.write(chunk),
      signal: request.signal,
    });
    await writer.writeBlock();
    return bytesSent;
  } finally {
    clearImmediate(isLate);
  }
}

/** Holds the header block back until there is something to send with it. */
class BlockFirst {
  readonly #target: AnswerTarget;
  #block: Uint8Array | null;
  #written: MaybePromise<void> = undefined;

  constructor(block: Uint8Array, target: AnswerTarget) {
    this.#block = block;
    this.#target = target;
  }

  writeBlock(): MaybePromise<void> {
    if (this.#block === null) return this.#written;
    const block = this.#block;
    this.#block = null;
    this.#written = this.#target.write(block);
    return this.#written;
  }

  write(chunk: Uint8Array): MaybePromise<void> {
    const block = this.#block;
    if (block === null) return this.#target.write(chunk);
    if (chunk.length > JOIN_BYTES) return andThen(this.writeBlock(), () => this.#target.write(chunk));
    this.#block = null;
    const joined = new Uint8Array(block.length + chunk.length);
    joined.set(block);
    joined.set(chunk, block.length);
    return this.#target.write(joined);
  }
}

/** Beyond this, a second write costs less than a copy. */
const JOIN_BYTES = 32_768;
