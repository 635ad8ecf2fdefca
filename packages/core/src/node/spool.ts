// The temporary files that `bufferBody` is given: nothing of them is left behind, even after a crash.
import { readSync, unlinkSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Spool, SpoolStore } from "../body/buffer.ts";
import { GatewayError } from "../model/errors.ts";

/** Settings of `fileSpool`. */
export interface FileSpoolOptions {
  /** Where the files are made; must exist and be writable. @default the system's temporary directory */
  directory?: string;
  /** Most bytes in one file. @default no limit but the disk's */
  maxBytes?: number;
}

/** Temporary files: made 0600 and unlinked at once, so that they are gone when closed, whatever happens. */
export function fileSpool({
  directory = tmpdir(),
  maxBytes = Number.POSITIVE_INFINITY,
}: FileSpoolOptions = {}): SpoolStore {
  return {
    async open() {
      const path = join(directory, `gw-spool-${crypto.randomUUID()}`);
      const file = await open(path, "wx+", 0o600);
      unlinkSync(path);
      return new SpoolFile(file, maxBytes);
    },
  };
}

class SpoolFile implements Spool {
  readonly #file: FileHandle;
  readonly #maxBytes: number;
  #length = 0;

  constructor(file: FileHandle, maxBytes: number) {
    this.#file = file;
    this.#maxBytes = maxBytes;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#length + chunk.length > this.#maxBytes) {
      throw new GatewayError("GW_SPOOL_FULL", 507, `a spooled body may have ${this.#maxBytes} bytes at most`);
    }
    for (let at = 0; at < chunk.length; ) {
      const { bytesWritten } = await this.#file.write(chunk, at, chunk.length - at, this.#length);
      at += bytesWritten;
      this.#length += bytesWritten;
    }
  }

  readSync(position: number, maxBytes: number): Uint8Array {
    const bytes = this.#room(position, maxBytes);
    return bytes.subarray(0, readSync(this.#file.fd, bytes, 0, bytes.length, position));
  }

  async read(position: number, maxBytes: number): Promise<Uint8Array> {
    const bytes = this.#room(position, maxBytes);
    const { bytesRead } = await this.#file.read(bytes, 0, bytes.length, position);
    return bytes.subarray(0, bytesRead);
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  #room(position: number, maxBytes: number): Uint8Array {
    return new Uint8Array(Math.max(0, Math.min(maxBytes, this.#length - position)));
  }
}
