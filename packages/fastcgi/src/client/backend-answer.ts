// What a backend wrote, as an answer (RFC 3875 §6; R-F15, R-F16, R-F17).
import {
  type BlockKind,
  ByteQueue,
  classifyBlock,
  contentLength,
  type HeaderBlock,
  HeaderBlockDecoder,
  type HttpResponse,
  isBodiless,
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
    call.cancel(error);
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

async function toResponse(
  call: Call,
  { status, headers }: Exclude<BlockKind, { kind: "local-redirect" }>,
  { first, method }: { first: Uint8Array | null; method: string },
): Promise<HttpResponse> {
  const head = { kind: "response", status, headers } as const;
  if (isBodiless(method, status)) {
    call.drain();
    return { ...head, body: null };
  }
  const body = new BackendBody(call, first, contentLength(headers, 502));
  // A small answer is over by now: in one piece, it leaves in one write.
  if (call.isWhole) return { ...head, body: await body.whole() };
  call.waitForClient();
  return { ...head, body, close: () => body.close() };
}

/** The body of an answer: what the backend writes, up to the length it announced. */
class BackendBody implements AsyncIterable<Uint8Array> {
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

  /** All of it. */
  async whole(): Promise<Uint8Array> {
    const first = this.#first;
    if (first !== null && first.length >= this.#left) {
      this.#isWhole = true;
      this.#call.drain();
      return first.subarray(0, this.#left);
    }
    const held = new ByteQueue();
    for await (const chunk of this) held.push(chunk);
    return held.takeAll();
  }

  /** The answer is done with: a body that was not read to its end lets the backend go. */
  close(): void {
    if (!this.#isWhole) this.#call.cancel(clientGone());
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    let chunk = this.#first ?? (await this.#call.read());
    this.#first = null;
    while (chunk !== null) {
      const piece = chunk.length > this.#left ? chunk.subarray(0, this.#left) : chunk;
      this.#left -= piece.length;
      if (piece.length > 0) {
        this.#call.waitForClient();
        yield piece;
      }
      if (this.#left === 0) {
        // Scripts that print a newline after a counted body are many: the rest is dropped.
        this.#isWhole = true;
        return this.#call.drain();
      }
      chunk = await this.#call.read();
    }
    if (this.#isAnnounced && this.#left > 0) {
      throw new FastcgiError("GW_FCGI_ANSWER_CUT", `the backend ended ${this.#left} bytes before its Content-Length`);
    }
    this.#isWhole = true;
  }
}
