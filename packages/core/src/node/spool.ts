// The temporary files that `bufferBody` is given: nothing of them is left behind, even after a crash.
import { constants, readSync } from "node:fs";
import { type FileHandle, open, unlink } from "node:fs/promises";
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

/**
 * Temporary files as a spool: without a name where the system can (Linux), else
 * made 0600 and unlinked at once. The system frees them when they are closed
 * or when the process ends, however it ends.
 */
export function fileSpool({
  directory = tmpdir(),
  maxBytes = Number.POSITIVE_INFINITY,
}: FileSpoolOptions = {}): SpoolStore {
  return {
    async open() {
      try {
        return new SpoolFile((await openNameless(directory)) ?? (await openUnlinked(directory)), maxBytes);
      } catch (error) {
        throw spoolError(error, `cannot make a temporary file in ${directory}`);
      }
    },
  };
}

const O_TMPFILE = process.platform === "linux" ? 0o20000000 | constants.O_DIRECTORY : null;

/** A file that never had a name (open(2), O_TMPFILE); `null` where the file system has no such thing. */
async function openNameless(directory: string): Promise<FileHandle | null> {
  if (O_TMPFILE === null) return null;
  try {
    return await open(directory, O_TMPFILE | constants.O_RDWR, 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EOPNOTSUPP" || code === "ENOTSUP" || code === "EISDIR" || code === "EINVAL") return null;
    throw error;
  }
}

async function openUnlinked(directory: string): Promise<FileHandle> {
  const path = join(directory, `gw-spool-${crypto.randomUUID()}`);
  const file = await open(path, "wx+", 0o600);
  try {
    await unlink(path);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

class SpoolFile implements Spool {
  readonly #file: FileHandle;
  readonly #maxBytes: number;
  #length = 0;
  #closing: Promise<void> | null = null;

  constructor(file: FileHandle, maxBytes: number) {
    this.#file = file;
    this.#maxBytes = maxBytes;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#length + chunk.length > this.#maxBytes) {
      throw new GatewayError("GW_SPOOL_FULL", 507, `a spooled body may have ${this.#maxBytes} bytes at most`);
    }
    try {
      for (let at = 0; at < chunk.length; ) {
        const { bytesWritten } = await this.#file.write(chunk, at, chunk.length - at, this.#length);
        at += bytesWritten;
        this.#length += bytesWritten;
      }
    } catch (error) {
      throw spoolError(error, "cannot write to a temporary file");
    }
  }

  readSync(position: number, maxBytes: number): Uint8Array {
    const bytes = this.#room(position, maxBytes);
    return bytes.length === 0 ? bytes : bytes.subarray(0, readSync(this.#file.fd, bytes, 0, bytes.length, position));
  }

  async read(position: number, maxBytes: number): Promise<Uint8Array> {
    const bytes = this.#room(position, maxBytes);
    if (bytes.length === 0) return bytes;
    const { bytesRead } = await this.#file.read(bytes, 0, bytes.length, position);
    return bytes.subarray(0, bytesRead);
  }

  close(): Promise<void> {
    this.#closing ??= this.#file.close();
    return this.#closing;
  }

  #room(position: number, maxBytes: number): Uint8Array {
    return new Uint8Array(Math.max(0, Math.min(maxBytes, this.#length - position)));
  }
}

const retrySoon = [["Retry-After", "1"]] as const;

/** R-O8: a full disk is 507; R-O9: no descriptor left is 503, worth another try. */
function spoolError(error: unknown, what: string): GatewayError {
  const cause = error as NodeJS.ErrnoException;
  switch (cause.code) {
    case "ENOSPC":
    case "EDQUOT":
    case "EFBIG":
      return new GatewayError("GW_SPOOL_FULL", 507, `${what}: ${cause.message}`, { cause });
    case "EMFILE":
    case "ENFILE":
    case "ENOMEM":
      return new GatewayError("GW_SPOOL_BUSY", 503, `${what}: ${cause.message}`, { cause, headers: retrySoon });
    default:
      return new GatewayError("GW_SPOOL", 500, `${what}: ${cause.message}`, { cause });
  }
}
