// The bytes of a file as a body: in one piece when small, else streamed from one descriptor.
import { encodeText } from "../bytes/byte-string.ts";
import { type ByteRange, writeContentRange } from "../headers/byte-ranges.ts";
import type { ResponseBody } from "../model/body.ts";
import type { OpenFile } from "./open-file.ts";

/** A body: bytes of our own, and bytes of the file, in order. */
export type BodyPart = Uint8Array | ByteRange;

/** Bodies up to this size are read at once, so that head and body leave in one write. */
export const SMALL_BYTES = 65_536;
const CHUNK_BYTES = 65_536;

/** Bytes of a part. */
export function partLength(part: BodyPart): number {
  return part instanceof Uint8Array ? part.length : part.last - part.first + 1;
}

/** The parts of a multipart/byteranges body (RFC 9110 §14.6). */
export function multipart(ranges: readonly ByteRange[], size: number, type: string, boundary: string): BodyPart[] {
  const heads = ranges.map((range, at) =>
    encodeText(
      `${at === 0 ? "" : "\r\n"}--${boundary}\r\nContent-Type: ${type}\r\nContent-Range: ${writeContentRange(range, size)}\r\n\r\n`,
    ),
  );
  return [...ranges.flatMap((range, at) => [heads[at] as Uint8Array, range]), encodeText(`\r\n--${boundary}--\r\n`)];
}

/** All parts in one piece; closes the file. */
export async function readParts(file: OpenFile, parts: readonly BodyPart[], length: number): Promise<Uint8Array> {
  try {
    const body = Buffer.allocUnsafeSlow(length);
    let at = 0;
    for (const part of parts) {
      const target = body.subarray(at, at + partLength(part));
      if (part instanceof Uint8Array) target.set(part);
      else await file.fill(target, part.first);
      at += target.length;
    }
    return body;
  } finally {
    file.close();
  }
}

/** The parts one chunk at a time, each read when it is asked for. The file is closed at the end or when the reader stops. */
export function streamParts(file: OpenFile, parts: readonly BodyPart[]): ResponseBody & AsyncIterable<Uint8Array> {
  return {
    async *[Symbol.asyncIterator]() {
      try {
        for (const part of parts) {
          if (part instanceof Uint8Array) yield part;
          else yield* chunks(file, part);
        }
      } finally {
        file.close();
      }
    },
  };
}

async function* chunks(file: OpenFile, { first, last }: ByteRange): AsyncGenerator<Uint8Array> {
  for (let at = first; at <= last; at += CHUNK_BYTES) {
    const chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, last - at + 1));
    await file.fill(chunk, at);
    yield chunk;
  }
}
