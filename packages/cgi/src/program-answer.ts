// What a program wrote, as an answer (RFC 3875 §6).
import {
  classifyBlock,
  contentLength,
  type HeaderBlock,
  HeaderBlockDecoder,
  type HeaderList,
  type HttpResponse,
  isBodilessStatus,
} from "@gw/core";
import { CgiError } from "./errors.ts";
import type { ProgramRun } from "./program-run.ts";

/** How to read a program's output. */
export interface ProgramAnswerOptions {
  /** Whether the output starts with a status line of HTTP (R-C11). */
  readonly nph: boolean;
  /** Whether the answer is for HEAD: a body is dropped. */
  readonly isHead: boolean;
}

/** What came of a program: an answer, or a local target to answer from instead. */
export type ProgramResult = HttpResponse | { readonly kind: "local-redirect"; readonly target: string };

/**
 * Reads the header block; the body streams on from there.
 *
 * @throws HeaderBlockError (502) for a header block that is malformed, too long or missing; the program is then ended.
 */
export async function programAnswer(run: ProgramRun, options: ProgramAnswerOptions): Promise<ProgramResult> {
  try {
    const { headers, rest } = await readBlock(run, options.nph);
    run.headerDone();
    // Only an answer with neither type nor place needs to know now whether a body follows.
    const first = rest.length > 0 || headers.has("content-type") || headers.has("location") ? rest : await run.read();
    const kind = classifyBlock(headers, first !== null && first.length > 0);
    if (kind.kind === "local-redirect") {
      run.drain();
      return kind;
    }
    return toResponse(run, kind, first, options);
  } catch (error) {
    run.stop(error);
    throw error;
  }
}

async function readBlock(run: ProgramRun, nph: boolean): Promise<HeaderBlock> {
  const decoder = new HeaderBlockDecoder({ nph });
  for (;;) {
    const chunk = await run.read();
    if (chunk === null) return decoder.end();
    const block = decoder.feed(chunk);
    if (block !== null) return block;
  }
}

function toResponse(
  run: ProgramRun,
  { status, headers }: { status: number; headers: HeaderList },
  first: Uint8Array | null,
  { isHead }: ProgramAnswerOptions,
): HttpResponse {
  if (isHead || isBodilessStatus(status)) {
    run.drain();
    return { kind: "response", status, headers, body: null };
  }
  run.waitForClient();
  const body = new ProgramBody(run, first, contentLength(headers));
  return { kind: "response", status, headers, body, close: () => body.close() };
}

/** The body of an answer: what the program writes, up to the length it announced. */
class ProgramBody implements AsyncIterable<Uint8Array> {
  readonly #run: ProgramRun;
  #first: Uint8Array | null;
  #left: number;
  readonly #isAnnounced: boolean;
  #isWhole = false;

  constructor(run: ProgramRun, first: Uint8Array | null, length: number | null) {
    this.#run = run;
    this.#first = first;
    this.#isAnnounced = length !== null;
    this.#left = length ?? Number.POSITIVE_INFINITY;
  }

  /** The answer is done with: a body that was not read to its end lets the program go. */
  close(): void {
    if (!this.#isWhole) this.#run.letGo();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    let chunk = this.#first;
    this.#first = null;
    this.#run.clientDone();
    while (chunk !== null) {
      const piece = chunk.length > this.#left ? chunk.subarray(0, this.#left) : chunk;
      this.#left -= piece.length;
      if (piece.length > 0) {
        this.#run.waitForClient();
        yield piece;
        this.#run.clientDone();
      }
      if (this.#left === 0) {
        // Programs that print a newline after a counted body are many: the rest is dropped.
        this.#isWhole = true;
        return this.#run.drain();
      }
      chunk = await this.#run.read();
    }
    if (this.#isAnnounced && this.#left > 0) {
      throw new CgiError("GW_CGI_ANSWER_CUT", `the program ended ${this.#left} bytes before its Content-Length`);
    }
    this.#isWhole = true;
  }
}
