// Chunks that wait, first in, first out. What they take of memory is about what they hold, however small they are cut.

/** Chunks below it are gathered into blocks: a view of its own costs more than they do, and keeps all that was read with it. */
const SMALL_BYTES = 512;
const BLOCK_BYTES = 4_096;

/** A list of chunks. They may not change any more. */
export class ChunkList {
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  /** The block that is being filled; its filled part is the last chunk. */
  #block: Uint8Array | null = null;
  #filled = 0;

  /** Bytes in it. */
  get bytes(): number {
    return this.#bytes;
  }

  push(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    if (chunk.length < SMALL_BYTES && this.#gather(chunk)) return;
    this.#block = null;
    // A small piece of a large read would keep all of it in memory.
    this.#chunks.push(chunk.length * 16 < chunk.buffer.byteLength ? chunk.slice() : chunk);
  }

  shift(): Uint8Array | undefined {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return undefined;
    this.#bytes -= chunk.length;
    if (this.#chunks.length === 0) this.#block = null;
    return chunk;
  }

  /** Everything in it; then it is empty. */
  takeAll(): readonly Uint8Array[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#bytes = 0;
    this.#block = null;
    return chunks;
  }

  /** Adds a small chunk to the last one, if that is small, too, or a block with room. */
  #gather(chunk: Uint8Array): boolean {
    const last = this.#chunks.at(-1);
    if (last === undefined) return false;
    if (this.#block === null) {
      if (last.length >= SMALL_BYTES) return false;
      this.#block = new Uint8Array(BLOCK_BYTES);
      this.#block.set(last);
      this.#filled = last.length;
    }
    if (this.#filled + chunk.length > BLOCK_BYTES) return false;
    this.#block.set(chunk, this.#filled);
    this.#filled += chunk.length;
    this.#chunks[this.#chunks.length - 1] = this.#block.subarray(0, this.#filled);
    return true;
  }
}
