// Holds a body that comes piece by piece until its end, so that something can be said of it in the head.
import type { HttpResponse } from "@gw/core";

type Streamed = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** The answer with its body as bytes; one that is longer goes on as a stream, with what was read of it first. */
export async function holdBody(answer: HttpResponse, body: Streamed, maxBytes: number): Promise<HttpResponse> {
  const pieces = Symbol.asyncIterator in body ? body[Symbol.asyncIterator]() : body[Symbol.iterator]();
  const held: Uint8Array[] = [];
  let length = 0;
  for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
    held.push(Buffer.from(next.value)); // whoever made it may use its room again
    length += next.value.length;
    if (length > maxBytes) return { ...answer, body: goingOn(held, pieces) };
  }
  const { close, ...rest } = answer;
  await close?.();
  return { ...rest, body: Buffer.concat(held, length) };
}

async function* goingOn(
  held: readonly Uint8Array[],
  pieces: Iterator<Uint8Array> | AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* held;
    for (let next = await pieces.next(); !next.done; next = await pieces.next()) yield next.value;
  } finally {
    await pieces.return?.();
  }
}
