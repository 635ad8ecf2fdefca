// wsgi.errors as a log: what an app in another thread logs, its caller can read.
import type { Logger, LogMethod } from "@gw/core";
import type { Environ } from "@gw/wsgi";

const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

/** Writes each line of a log, with the stack of its error, to the environ's `wsgi.errors`. */
export function errorsLogger(environ: Environ): Logger {
  const errors = environ["wsgi.errors"];
  const methods = LEVELS.map((level): LogMethod => {
    const write = (facts: object | string, message = ""): void => {
      const { err } = (typeof facts === "string" ? {} : facts) as { err?: Error };
      errors.write(`${level}: ${typeof facts === "string" ? facts : message}\n`);
      if (err !== undefined) errors.write(`${err.stack ?? err.message}\n`);
    };
    return write;
  });
  const [trace, debug, info, warn, error, fatal] = methods as [
    LogMethod,
    LogMethod,
    LogMethod,
    LogMethod,
    LogMethod,
    LogMethod,
  ];
  const logger: Logger = { trace, debug, info, warn, error, fatal, child: () => logger };
  return logger;
}
