// A file opened for reading: what it is was asked of what was opened, so nothing can change in between.
import { closeSync, constants, fstatSync, open, read, readlinkSync, realpath, type Stats } from "node:fs";
import { GatewayError } from "../model/errors.ts";

// O_NONBLOCK: a FIFO must not keep us waiting. Windows knows none of these.
const FLAGS: number = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);
const ABSENT: ReadonlySet<string> = new Set([
  "ENOENT",
  "ENOTDIR",
  "ENAMETOOLONG",
  "ELOOP",
  "EINVAL",
  "ENXIO",
  "ENODEV",
]);
const BUSY: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOMEM"]);
const FORBIDDEN: ReadonlySet<string> = new Set(["EACCES", "EPERM"]);
const retrySoon = [["Retry-After", "1"]] as const;

/** An open regular file or directory. */
export class OpenFile {
  /** Where it really is: every link resolved. */
  readonly realPath: string;
  readonly isDirectory: boolean;
  /** Bytes when it was opened. */
  readonly size: number;
  /** Last change, milliseconds since 1970, with fractions. */
  readonly mtimeMs: number;
  readonly #fd: number;
  #reads = 0;
  #isClosed = false;

  constructor(fd: number, realPath: string, stats: Stats) {
    this.#fd = fd;
    this.realPath = realPath;
    this.isDirectory = stats.isDirectory();
    this.size = stats.size;
    this.mtimeMs = stats.mtimeMs;
  }

  /**
   * Fills `target` from an offset.
   *
   * @throws GatewayError `GW_FILE` (500) if the file has become shorter, or cannot be read.
   */
  async fill(target: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < target.length; ) {
      const bytes = await this.#read(target.subarray(done), position + done);
      if (bytes === 0) throw new GatewayError("GW_FILE", 500, `${this.realPath} became shorter while it was sent`);
      done += bytes;
    }
  }

  /** Later calls do nothing. A read under way is waited for: its descriptor must not become another file's. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#reads === 0) closeSync(this.#fd);
  }

  #read(target: Uint8Array, position: number): Promise<number> {
    if (this.#isClosed) throw new GatewayError("GW_FILE", 500, `${this.realPath} was closed while it was sent`);
    this.#reads++;
    return new Promise((done, fail) => {
      read(this.#fd, target, 0, target.length, position, (error, bytes) => {
        this.#reads--;
        if (this.#isClosed && this.#reads === 0) closeSync(this.#fd);
        if (error === null) done(bytes);
        else fail(fileError(error, this.realPath));
      });
    });
  }
}

/**
 * Opens a regular file or a directory; `null` for what is not there or is something else.
 *
 * @throws GatewayError `GW_FILE_FORBIDDEN` (403), `GW_FILE_BUSY` (503), `GW_FILE` (500)
 */
export async function openFile(path: string): Promise<OpenFile | null> {
  try {
    return READS_LINKS ? await openThenAsk(path) : await askThenOpen(path);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (ABSENT.has(code)) return null;
    throw fileError(error, path);
  }
}

const READS_LINKS: boolean = process.platform === "linux" && canReadLinks();

function canReadLinks(): boolean {
  try {
    readlinkSync("/proc/self/fd/0");
    return true;
  } catch {
    return false;
  }
}

/** Linux: the kernel says what a descriptor is. Only opening may touch the disk; the rest is in its memory by then. */
async function openThenAsk(path: string): Promise<OpenFile | null> {
  const fd = await descriptor(path);
  return examine(fd, (stats) => {
    const real = readlinkSync(`/proc/self/fd/${fd}`);
    return stats.nlink === 0 ? real.replace(/ \(deleted\)$/, "") : real; // it was replaced at this moment
  });
}

/** Elsewhere: the name is resolved first. Between the two, whoever may write there can put a link in a directory's place. */
async function askThenOpen(path: string): Promise<OpenFile | null> {
  const real = await resolved(path);
  return examine(await descriptor(real, FLAGS | (constants.O_NOFOLLOW ?? 0)), () => real);
}

function examine(fd: number, realPathOf: (stats: Stats) => string): OpenFile | null {
  try {
    const stats = fstatSync(fd);
    if (stats.isFile() || stats.isDirectory()) return new OpenFile(fd, realPathOf(stats), stats);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  closeSync(fd);
  return null;
}

function descriptor(path: string, flags: number = FLAGS): Promise<number> {
  return new Promise((done, fail) => open(path, flags, (error, fd) => (error === null ? done(fd) : fail(error))));
}

/** A path with every link resolved. */
export function resolved(path: string): Promise<string> {
  return new Promise((done, fail) =>
    realpath.native(path, (error, real) => (error === null ? done(real) : fail(error))),
  );
}

function fileError(error: unknown, path: string): GatewayError {
  const cause = error as NodeJS.ErrnoException;
  const code = cause.code ?? "";
  if (FORBIDDEN.has(code)) return new GatewayError("GW_FILE_FORBIDDEN", 403, "this file may not be read", { cause });
  if (BUSY.has(code)) {
    return new GatewayError("GW_FILE_BUSY", 503, `cannot open ${path}: ${code}`, { cause, headers: retrySoon });
  }
  return new GatewayError("GW_FILE", 500, `cannot read ${path}: ${cause.message}`, { cause });
}
