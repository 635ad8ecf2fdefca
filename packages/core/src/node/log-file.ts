// A file that lines are appended to, which can be opened anew: how logs are rotated (R-O8, R-O13).
import { closeSync, openSync } from "node:fs";
import { GatewayError } from "../model/errors.ts";
import { type DescriptorWriterOptions, descriptorWriter, type LogWriter } from "./log-queue.ts";

/** A log file. It is opened by `open()` or by the first line, and closed by `close()`; after that the next line opens it again. */
export interface LogFile extends LogWriter {
  /** Opens it now, so that a start says what is wrong. @throws GatewayError `GW_LOG_FILE` */
  open(): void;
  /** Opens the path anew: what was moved away gets no more lines. @throws GatewayError `GW_LOG_FILE`; the old file stays in use */
  reopen(): Promise<void>;
}

/** Readable by its group: the usual mode of logs. */
const MODE = 0o640;

const opened = new Set<AppendedFile>();

/** Makes a log file; nothing is opened yet. Several processes may append to one file: a line is never torn. */
export function logFile(path: string, options: DescriptorWriterOptions): LogFile {
  return new AppendedFile(path, options);
}

/**
 * Opens every log file of this process anew, as after a rotation.
 *
 * @returns one line for each that could not be opened; it goes on in its old file
 */
export async function reopenLogFiles(): Promise<readonly string[]> {
  const results = await Promise.allSettled([...opened].map((one) => one.reopen()));
  return results.flatMap((one) => (one.status === "rejected" ? [(one.reason as Error).message] : []));
}

interface Open {
  readonly fd: number;
  readonly writer: LogWriter;
}

class AppendedFile implements LogFile {
  readonly #path: string;
  readonly #options: DescriptorWriterOptions;
  #current: Open | null = null;

  constructor(path: string, options: DescriptorWriterOptions) {
    this.#path = path;
    this.#options = options;
  }

  open(): void {
    this.#current ??= this.#open();
    opened.add(this);
  }

  async reopen(): Promise<void> {
    if (this.#current === null) return;
    const next = this.#open();
    const last = this.#current;
    this.#current = next;
    await end(last);
  }

  write(line: string): void {
    try {
      this.open();
    } catch {
      return; // whoever started us has heard of it; a request does not fail for its line
    }
    this.#current?.writer.write(line);
  }

  flush(): Promise<void> {
    return this.#current?.writer.flush() ?? Promise.resolve();
  }

  flushSync(): void {
    this.#current?.writer.flushSync();
  }

  async close(): Promise<void> {
    const last = this.#current;
    this.#current = null;
    opened.delete(this);
    if (last !== null) await end(last);
  }

  #open(): Open {
    try {
      const fd = openSync(this.#path, "a", MODE);
      return { fd, writer: descriptorWriter(fd, this.#options) };
    } catch (error) {
      throw new GatewayError(
        "GW_LOG_FILE",
        500,
        `cannot open the log file ${this.#path}: ${(error as Error).message}`,
        {
          cause: error,
        },
      );
    }
  }
}

/** Writes what waits, then closes. */
async function end({ fd, writer }: Open): Promise<void> {
  await writer.close();
  closeSync(fd);
}
