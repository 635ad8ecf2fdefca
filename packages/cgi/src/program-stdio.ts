// Keeps the answer clean: whatever else the process prints goes to standard error, where servers keep their log.
import { type Logger, type LogMethod, silentLogger } from "@gw/core";
import { fs } from "./builtins.ts";

/**
 * Makes `process.stdout`, and so `console.log`, mean standard error: one printed line ahead of the header block
 * would spoil the answer.
 *
 * What was printed before, while modules were loaded, cannot be taken back.
 */
export function keepStdoutForAnswer(): void {
  Object.defineProperty(process, "stdout", { configurable: true, enumerable: true, get: () => process.stderr });
}

/** A log on standard error. Made only when there is something to say: most programs end without a word. */
export class ProgramLog {
  readonly #lines: ((log: Logger) => void)[] = [];
  #written: Promise<void> | null = null;

  /** What apps and layers log to. */
  readonly logger: Logger = this.#loggerWith({});

  /** Settles when everything logged so far is out. */
  async flush(): Promise<void> {
    while (this.#written !== null) await this.#written;
  }

  #loggerWith(facts: object): Logger {
    const method = (level: LogLevel): LogMethod => {
      return (...line: [object | string, string?]) =>
        this.#add((log) => (log.child(facts)[level] as (...all: unknown[]) => void)(...line));
    };
    return {
      ...silentLogger, // below "info"
      info: method("info"),
      warn: method("warn"),
      error: method("error"),
      fatal: method("fatal"),
      child: (further) => this.#loggerWith({ ...facts, ...further }),
    };
  }

  #add(line: (log: Logger) => void): void {
    this.#lines.push(line);
    this.#written ??= this.#write().finally(() => {
      this.#written = null;
    });
  }

  async #write(): Promise<void> {
    const { createLogger } = await import("@gw/core/node");
    const log = createLogger({ destination: writeError });
    for (let line = this.#lines.shift(); line !== undefined; line = this.#lines.shift()) line(log);
  }
}

type LogLevel = "info" | "warn" | "error" | "fatal";

function writeError(line: string): void {
  try {
    fs.writeSync(2, line);
  } catch {
    // The server closed its log, or does not read it: nobody is left to tell.
  }
}
