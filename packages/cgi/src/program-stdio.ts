// Keeps the answer clean: whatever else the process prints goes to standard error, where servers keep their log.
import { writeSync } from "node:fs";
import type { Logger } from "@gw/core";
import { createLogger } from "@gw/core/node";

/**
 * Makes `process.stdout`, and so `console.log`, mean standard error: one printed line ahead of the header block
 * would spoil the answer.
 *
 * What was printed before, while modules were loaded, cannot be taken back.
 */
export function keepStdoutForAnswer(): void {
  Object.defineProperty(process, "stdout", { configurable: true, enumerable: true, get: () => process.stderr });
}

/** A log on standard error that has every line out before the process ends. */
export function stderrLogger(): Logger {
  return createLogger({
    destination: (line) => {
      try {
        writeSync(2, line);
      } catch {
        // The server closed or filled its log: nobody is left to tell.
      }
    },
  });
}
