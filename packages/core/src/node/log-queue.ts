// Lines on their way to a descriptor: bounded, in order, never waited for by whoever logs (R-O13).
import { closeSync, constants, fstatSync, openSync, write, writeSync } from "node:fs";
import { atExit } from "./at-exit.ts";

/** Where a logger hands its lines. */
export interface LogWriter {
  /** Takes a line; returns at once. */
  write(line: string): void;
  /** Settles when everything taken so far has been written or given up. */
  flush(): Promise<void>;
  /** Writes what it can, now. */
  flushSync(): void;
  /** Flushes, and is not used any more. The descriptor stays open. */
  close(): Promise<void>;
}

/** Settings of `descriptorWriter`. */
export interface DescriptorWriterOptions {
  /** Most bytes that wait; further lines are dropped and counted. @default 1_048_576 */
  maxQueuedBytes?: number;
  /** Makes the line that tells of dropped ones. */
  droppedLine: (count: number) => string;
}

const RETRY_FIRST_MS = 2;
const RETRY_LONGEST_MS = 100;
const EXIT_PATIENCE_MS = 200;

/**
 * Writes lines to a descriptor without ever blocking the event loop on a slow reader; the last ones when the process exits.
 *
 * A pipe or terminal is opened again without blocking, so that our setting
 * does not change the descriptor for others who share it; files and sockets
 * are written from the thread pool, one write at a time.
 */
export function descriptorWriter(fd: number, options: DescriptorWriterOptions): LogWriter {
  return new DescriptorWriter(fd, options);
}

class DescriptorWriter implements LogWriter {
  readonly #fd: number;
  readonly #maxBytes: number;
  readonly #droppedLine: (count: number) => string;
  readonly #forget: () => void;
  #unblocked: number | null | undefined; // undefined: not tried yet
  #lines: string[] = [];
  #queuedBytes = 0;
  #rest: Uint8Array | null = null;
  #dropped = 0;
  #state: "idle" | "scheduled" | "writing" | "waiting" = "idle";
  #retryMs = RETRY_FIRST_MS;
  #timer: NodeJS.Timeout | null = null;
  readonly #flushed: (() => void)[] = [];

  constructor(fd: number, { maxQueuedBytes = 1_048_576, droppedLine }: DescriptorWriterOptions) {
    this.#fd = fd;
    this.#maxBytes = maxQueuedBytes;
    this.#droppedLine = droppedLine;
    this.#forget = atExit(() => this.flushSync());
  }

  write(line: string): void {
    if (this.#queuedBytes + (this.#rest?.length ?? 0) + line.length > this.#maxBytes) {
      this.#dropped++;
      return;
    }
    this.#lines.push(line);
    this.#queuedBytes += line.length;
    if (this.#state !== "idle") return;
    this.#state = "scheduled";
    setImmediate(() => this.#next()); // all lines of one turn leave in one write
  }

  flush(): Promise<void> {
    if (this.#state === "idle") return Promise.resolve();
    this.#timer?.ref(); // somebody waits: the process must not end before
    return new Promise((done) => this.#flushed.push(done));
  }

  flushSync(): void {
    const fd = this.#openUnblocked() ?? this.#fd;
    let giveUpAt = performance.now() + EXIT_PATIENCE_MS;
    for (let bytes = this.#take(); bytes !== null; bytes = this.#take()) {
      const outcome = tryWrite(fd, bytes);
      if (outcome === "failed") continue;
      this.#rest = outcome === "full" ? bytes : remainder(bytes, outcome);
      if (outcome !== "full") giveUpAt = performance.now() + EXIT_PATIENCE_MS;
      else if (performance.now() > giveUpAt) return;
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_FIRST_MS);
    }
  }

  async close(): Promise<void> {
    await this.flush();
    this.#forget();
    if (typeof this.#unblocked === "number") closeSync(this.#unblocked);
    this.#unblocked = undefined;
  }

  #next(): void {
    const bytes = this.#take();
    if (bytes === null) return this.#idle();
    const fd = this.#openUnblocked();
    if (fd === null) return this.#writeInPool(bytes);
    const outcome = tryWrite(fd, bytes);
    if (outcome === "failed") return this.#next();
    if (outcome === "full") return this.#wait(bytes);
    this.#wrote(bytes, outcome);
  }

  #writeInPool(bytes: Uint8Array): void {
    this.#state = "writing";
    write(this.#fd, bytes, (error, written) => {
      if (error?.code === "EAGAIN") return this.#wait(bytes);
      if (error) return this.#next(); // EPIPE, ENOSPC: these lines are lost, later ones may fare better
      this.#wrote(bytes, written);
    });
  }

  #wrote(bytes: Uint8Array, written: number): void {
    this.#retryMs = RETRY_FIRST_MS;
    this.#rest = remainder(bytes, written);
    this.#next();
  }

  #wait(bytes: Uint8Array): void {
    this.#rest = bytes;
    this.#state = "waiting";
    this.#timer = setTimeout(() => this.#next(), this.#retryMs);
    if (this.#flushed.length === 0) this.#timer.unref();
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_LONGEST_MS);
  }

  #idle(): void {
    this.#state = "idle";
    for (const done of this.#flushed.splice(0)) done();
  }

  /** The bytes to write next: the rest of the last write, or every line that waits. */
  #take(): Uint8Array | null {
    const rest = this.#rest;
    if (rest !== null) {
      this.#rest = null;
      return rest;
    }
    if (this.#lines.length === 0) return null;
    if (this.#dropped > 0) this.#lines.push(this.#droppedLine(this.#dropped));
    const bytes = Buffer.from(this.#lines.join(""));
    this.#lines = [];
    this.#queuedBytes = 0;
    this.#dropped = 0;
    return bytes;
  }

  #openUnblocked(): number | null {
    if (this.#unblocked === undefined) this.#unblocked = openUnblocked(this.#fd);
    return this.#unblocked;
  }
}

/** How many bytes went, or why none did. */
function tryWrite(fd: number, bytes: Uint8Array): number | "full" | "failed" {
  try {
    return writeSync(fd, bytes);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EAGAIN" ? "full" : "failed";
  }
}

function remainder(bytes: Uint8Array, written: number): Uint8Array | null {
  return written < bytes.length ? bytes.subarray(written) : null;
}

/** A descriptor of our own for the same pipe or terminal, in non-blocking mode; `null` where there is none. */
function openUnblocked(fd: number): number | null {
  try {
    const found = fstatSync(fd);
    if (!found.isFIFO() && !found.isCharacterDevice()) return null;
    const opened = openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    if (fstatSync(opened).ino === found.ino) return opened;
    closeSync(opened);
    return null;
  } catch {
    return null; // no /proc, or the pipe belongs to another user
  }
}
