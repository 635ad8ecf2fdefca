// wsgi.file_wrapper (PEP 3333, "Optional Platform-Specific File Handling").
import type { FileLike, WsgiIterable } from "./types.ts";

const BLOCK_BYTES = 65_536;

/** What `wsgi.file_wrapper` returns: reads a block at each step, from where the file stands, and closes the file. */
export class FileIterable implements WsgiIterable {
  readonly #file: FileLike;
  readonly #blockBytes: number;

  constructor(file: FileLike, blockBytes: number) {
    this.#file = file;
    this.#blockBytes = blockBytes;
  }

  *[Symbol.iterator](): Generator<Uint8Array> {
    for (;;) {
      const block = this.#file.read(this.#blockBytes);
      if (block.length === 0) return;
      yield block;
    }
  }

  /** Invokes the file's own `close()`, if it has one. */
  close(): void {
    this.#file.close?.();
  }
}

/** The value of `environ["wsgi.file_wrapper"]`: reads nothing until the result is iterated. */
export function wrapFile(file: FileLike, blockBytes: number = BLOCK_BYTES): WsgiIterable {
  return new FileIterable(file, blockBytes);
}
