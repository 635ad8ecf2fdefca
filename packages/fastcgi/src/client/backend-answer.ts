// What a backend wrote, as an answer (RFC 3875 §6; R-F15, R-F16, R-F17).
import {
  type BlockKind,
  ByteQueue,
  classifyBlock,
  contentLength,
  type ExclusiveBody,
  type HeaderBlock,
  HeaderBlockDecoder,
  type HttpResponse,
  isBodiless,
  isPromise,
  type MaybePromise,
} from "@gw/core";
import { type Call, clientGone } from "./call.ts";
import { FastcgiError } from "./errors.ts";

/** What came of a request: an answer, or a local target to answer from instead. */
export type BackendResult = HttpResponse | Extract<BlockKind, { kind: "local-redirect" }>;

/**
 * Reads the header block; the body streams on from there, or is there already in one piece.
 *
 * @throws HeaderBlockError (502) for a block that is malformed, too long or missing; what the call failed with
 */
export async function backendAnswer(call: Call, method: string): Promise<BackendResult> {
  try {
    const { headers, rest } = await readBlock(call);
    call.headerDone();
    // Only an answer with neither type nor place needs to know now whether a body follows.
    const isClear = rest.length > 0 || headers.has("content-type") || headers.has("location");
    const first = isClear ? rest : await call.read();
    const kind = classifyBlock(headers, first !== null && first.length > 0);
    if (kind.kind === "local-redirect") {
      call.drain();
      return kind;
    }
    return toResponse(call, kind, { first, method });
  } catch (error) {
    call.leave(error);
    throw error;
  }
}

async function readBlock(call: Call): Promise<HeaderBlock> {
  const decoder = new HeaderBlockDecoder();
  for (;;) {
    const chunk = await call.read();
    if (chunk === null) return decoder.end();
    const block = decoder.feed(chunk);
    if (block !== null) return block;
  }
}

function toResponse(
  call: Call,
  { status, headers }: Exclude<BlockKind, { kind: "local-redirect" }>,
  { first, method }: { first: Uint8Array | null; method: string },
): HttpResponse {
  if (isBodiless(method, status)) {
    call.drain();
    return { kind: "response", status, headers, body: null };
  }
  const body = new BackendBody(call, first, contentLength(headers, 502));
  // A small answer is over by now: in one piece, it leaves in one write.
  if (call.isWhole) return { kind: "response", status, headers, body: body.whole() };
  call.waitForClient();
  return { kind: "response", status, headers, body, close: () => body.close() };
}

/** The body of an answer: what the backend writes, up to the length it announced. */
class BackendBody implements AsyncIterable<Uint8Array>, ExclusiveBody {
  readonly #call: Call;
  #first: Uint8Array | null;
  #left: number;
  readonly #isAnnounced: boolean;
  #isWhole = false;

  constructor(call: Call, first: Uint8Array | null, length: number | null) {
    this.#call = call;
    this.#first = first;
    this.#isAnnounced = length !== null;
    this.#left = length ?? Number.POSITIVE_INFINITY;
  }

  /** Pieces of output are read by nobody but who iterates. */
  ownsItsChunks(): boolean {
    return #call in this;
  }

  /** All of it, of a call that is whole: then nothing is waited for. */
  whole(): Uint8Array {
    const held = new ByteQueue();
    while (!this.#isWhole) {
      const chunk = this.#read() as Uint8Array | null;
      if (chunk === null) this.#ended();
      else held.push(this.#counted(chunk));
      if (this.#left === 0) this.#drop();
    }
    return held.takeAll();
  }

  /** The answer is done with: a body that was not read to its end lets the backend go. */
  close(): void {
    if (!this.#isWhole) this.#call.leave(clientGone());
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = this.#read();
      const chunk = isPromise(next) ? await next : next;
      if (chunk === null) return this.#ended();
      const piece = this.#counted(chunk);
      if (piece.length > 0) {
        this.#call.waitForClient();
        yield piece;
      }
      if (this.#left === 0) return this.#drop();
    }
  }

  #read(): MaybePromise<Uint8Array | null> {
    const first = this.#first;
    this.#first = null;
    return first ?? this.#call.read();
  }

  /** What of a chunk belongs to the body. */
  #counted(chunk: Uint8Array): Uint8Array {
    const piece = chunk.length > this.#left ? chunk.subarray(0, this.#left) : chunk;
    this.#left -= piece.length;
    return piece;
  }

  /** Scripts that print a newline after a counted body are many: the rest is dropped. */
  #drop(): void {
    this.#isWhole = true;
    this.#call.drain();
  }

  /** The backend has ended. @throws FastcgiError `GW_FCGI_ANSWER_CUT` if it announced more (R-F16) */
  #ended(): void {
    if (this.#isAnnounced && this.#left > 0) {
      throw new FastcgiError("GW_FCGI_ANSWER_CUT", `the backend ended ${this.#left} bytes before its Content-Length`);
    }
    this.#isWhole = true;
  }
}
