// Changes an answer's body on its way out: the only way layers may do it.

import type { ResponseBody } from "../model/body.ts";
import type { HttpResponse } from "../model/response.ts";

/** Changes a body chunk by chunk. Sync steps keep a sync body sync. One is made for each body. */
export interface ChunkTransform {
  /** What to send for this chunk; `null`: nothing yet. */
  chunk(bytes: Uint8Array): Uint8Array | null;
  /** What to send after the last chunk; not called when the body fails. */
  end?(): Uint8Array | null;
}

/** Changes a body as a stream: gets the chunks, gives the chunks to send. Errors and `return` pass through both ways. */
export type StreamTransform = (body: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

/** Inputs of mapBody. */
export interface MapBodyOptions {
  /** Whether Content-Length stays true: the transform changes no byte count. @default false: the field is removed */
  keepsLength?: boolean;
}

/**
 * The answer with its body changed. An answer without a body is given back as it is.
 *
 * Errors of the body reach the reader of the new one, stopping early stops the
 * old one, nothing is read before it is asked for, and `close` stays with the
 * answer. Content-Length is removed unless `keepsLength`.
 *
 * @param transform a stream function (the new body is async), or a maker of chunk steps (a sync body stays sync)
 */
export function mapBody(
  answer: HttpResponse,
  transform: StreamTransform | { readonly steps: () => ChunkTransform },
  { keepsLength = false }: MapBodyOptions = {},
): HttpResponse {
  if (answer.body === null) return answer;
  const body =
    typeof transform === "function" ? transform(toAsync(answer.body)) : mapChunks(answer.body, transform.steps);
  return { ...answer, headers: keepsLength ? answer.headers : answer.headers.without("content-length"), body };
}

function mapChunks(body: Exclude<ResponseBody, null>, steps: () => ChunkTransform): Exclude<ResponseBody, null> {
  if (body instanceof Uint8Array) return mapSync([body], steps);
  return Symbol.asyncIterator in body ? mapAsync(body, steps) : mapSync(body, steps);
}

function mapSync(body: Iterable<Uint8Array>, steps: () => ChunkTransform): Iterable<Uint8Array> {
  return {
    *[Symbol.iterator]() {
      const transform = steps();
      for (const chunk of body) {
        const mapped = transform.chunk(chunk);
        if (mapped !== null && mapped.length > 0) yield mapped;
      }
      const last = transform.end?.() ?? null;
      if (last !== null && last.length > 0) yield last;
    },
  };
}

function mapAsync(body: AsyncIterable<Uint8Array>, steps: () => ChunkTransform): AsyncIterable<Uint8Array> {
  return {
    async *[Symbol.asyncIterator]() {
      const transform = steps();
      for await (const chunk of body) {
        const mapped = transform.chunk(chunk);
        if (mapped !== null && mapped.length > 0) yield mapped;
      }
      const last = transform.end?.() ?? null;
      if (last !== null && last.length > 0) yield last;
    },
  };
}

async function* toAsync(body: Exclude<ResponseBody, null>): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array) yield body;
  else yield* body;
}
