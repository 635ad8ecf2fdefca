// Part of a file that a worker named, as the body of an answer: read here, at the client's pace.
import { type FileHandle, open } from "node:fs/promises";
import { GatewayError } from "@gw/core";
import type { FilePart } from "./link-events.ts";

/** Bytes read at once. */
const CHUNK_BYTES = 262_144;

/** Bytes of an open file. Whoever has it closes it; reading to the end does, too. */
export class OpenPart implements AsyncIterable<Uint8Array> {
  readonly #file: FileHandle;
  readonly #part: FilePart;
  #isReading = false;
  #isClosed = false;

  constructor(file: FileHandle, part: FilePart) {
    this.#file = file;
    this.#part = part;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const { first, count } = this.#part;
    try {
      for (let at = 0; at < count; ) {
        const chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, count - at));
        const bytes = await this.#read(chunk, first + at);
        yield bytes === chunk.length ? chunk : chunk.subarray(0, bytes);
        at += bytes;
      }
    } finally {
      this.close();
    }
  }

  /** Later calls do nothing. A read under way is waited for: its descriptor must not become another file's. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (!this.#isReading) void this.#file.close();
  }

  async #read(chunk: Uint8Array, position: number): Promise<number> {
    if (this.#isClosed) throw new GatewayError("GW_FILE", 500, "a file was closed while it was sent");
    this.#isReading = true;
    try {
      const { bytesRead } = await this.#file.read(chunk, 0, chunk.length, position);
      if (bytesRead === 0) throw new GatewayError("GW_FILE", 500, "a file became shorter while it was sent");
      return bytesRead;
    } finally {
      this.#isReading = false;
      if (this.#isClosed) void this.#file.close();
    }
  }
}

/** Opens a file for one of its parts; `null` if it is no regular file, shorter than that, or cannot be opened. */
export async function openPart(part: FilePart): Promise<OpenPart | null> {
  let file: FileHandle | null = null;
  try {
    file = await open(part.path, "r");
    const found = await file.stat();
    if (found.isFile() && found.size >= part.first + part.count) return new OpenPart(file, part);
  } catch {
    // The worker sends the bytes itself.
  }
  await file?.close().catch(() => {});
  return null;
}
