// Bodies that watch how they are read and what they give.
import type { RequestBody, ResponseBody } from "../model/body.ts";
import type { HeaderList } from "../model/headers.ts";
import { show } from "./found.ts";
import type { LintSentence } from "./rule.ts";
import { use } from "./use-rules.ts";

/** Which side of a boundary a finding is about: `"outer"` calls and reads, `"inner"` answers. */
export type Side = "outer" | "inner";

/** Says that a side broke a rule; may throw. */
export type Tell = (side: Side, rule: LintSentence, found: string) => void;

/** What is known of an answer while its body is read. */
export interface BodyFacts {
  /** Bytes its Content-Length announces; `null`: none announced. */
  readonly length: number | null;
  /** Whether the answer has been closed. */
  readonly isClosed: () => boolean;
  readonly tell: Tell;
}

/** The same body, watched. A body that is all there needs no watching. */
export function lintedBody(body: ResponseBody, facts: BodyFacts): ResponseBody {
  if (body === null || body instanceof Uint8Array) return body;
  const watch = new ReadWatch(facts);
  if (Symbol.asyncIterator in body) {
    return { [Symbol.asyncIterator]: () => watch.async(body[Symbol.asyncIterator]()) };
  }
  return { [Symbol.iterator]: () => watch.sync(body[Symbol.iterator]()) };
}

/** Watches the one reading that a body has. */
class ReadWatch {
  readonly #facts: BodyFacts;
  #readings = 0;
  #bytes = 0;
  #isEnded = false;
  #isAsking = false;

  constructor(facts: BodyFacts) {
    this.#facts = facts;
  }

  sync(source: Iterator<Uint8Array>): Iterator<Uint8Array> {
    this.#begin();
    return {
      next: () => {
        this.#ask();
        return this.#got(this.#ifThrown(() => source.next()));
      },
      return: () => {
        this.#isEnded = true;
        return source.return?.() ?? END;
      },
    };
  }

  async(source: AsyncIterator<Uint8Array>): AsyncIterator<Uint8Array> {
    this.#begin();
    return {
      next: async () => {
        this.#ask();
        this.#isAsking = true;
        try {
          const result = await source.next();
          this.#isAsking = false;
          return this.#got(result);
        } catch (error) {
          this.#isAsking = false;
          this.#isEnded = true;
          throw error;
        }
      },
      return: async () => {
        this.#isEnded = true;
        return (await source.return?.()) ?? END;
      },
    };
  }

  #begin(): void {
    if (++this.#readings > 1) this.#facts.tell("outer", use.once, "it is iterated again");
  }

  #ask(): void {
    const { tell, isClosed } = this.#facts;
    if (this.#isAsking) tell("outer", use.order, "the chunk before has not come yet");
    else if (isClosed()) tell("outer", use.order, "the answer is closed");
    else if (this.#isEnded) tell("outer", use.order, "the body has ended");
  }

  #ifThrown<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      this.#isEnded = true;
      throw error;
    }
  }

  #got(result: IteratorResult<Uint8Array>): IteratorResult<Uint8Array> {
    const { length, tell } = this.#facts;
    if (result.done) {
      if (!this.#isEnded && length !== null && this.#bytes < length) tell("inner", use.length, this.#compare(length));
      this.#isEnded = true;
      return result;
    }
    if (!((result.value as unknown) instanceof Uint8Array)) tell("inner", use.chunk, show(result.value));
    else this.#bytes += result.value.length;
    if (length !== null && this.#bytes > length) tell("inner", use.length, this.#compare(length));
    return result;
  }

  #compare(length: number): string {
    return `${this.#bytes} bytes, Content-Length is ${length}`;
  }
}

const END: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** The same request body, watched. */
export function lintedRequestBody(body: RequestBody, tell: Tell): RequestBody {
  if (body.length === 0) return body;
  const { length, replayable, readSync, trailers } = body;
  const check = (chunk: unknown, before: number): number => {
    if (!(chunk instanceof Uint8Array)) tell("outer", use.requestChunk, show(chunk));
    const bytes = before + ((chunk as Partial<Uint8Array>).length ?? 0);
    if (length !== null && bytes > length) tell("outer", use.requestLength, `${bytes} bytes, announced ${length}`);
    return bytes;
  };
  let readBytes = 0;
  const sync = (maxBytes: number): Uint8Array => {
    const chunk = (readSync as (maxBytes: number) => Uint8Array).call(body, maxBytes);
    readBytes = check(chunk, readBytes);
    return chunk;
  };
  return {
    length,
    replayable,
    ...(readSync !== undefined && { readSync: sync }),
    ...(trailers !== undefined && { trailers: (): Promise<HeaderList> => trailers.call(body) }),
    async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
      let bytes = 0;
      for await (const chunk of body) {
        bytes = check(chunk, bytes);
        yield chunk;
      }
      if (length !== null && bytes < length) tell("outer", use.requestLength, `${bytes} bytes, announced ${length}`);
    },
  };
}
