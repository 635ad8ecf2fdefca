// The shape of a logger: pino's, so that pino itself can be passed in.

/** Writes one log line: an object of facts and a message, or a message alone. */
export interface LogMethod {
  (facts: object, message?: string): void;
  (message: string): void;
}

/** A pino-shaped logger. */
export interface Logger {
  readonly trace: LogMethod;
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  readonly fatal: LogMethod;
  /** A logger that adds these facts to each line. */
  child(facts: object): Logger;
}

const nothing: LogMethod = () => {};

/** A logger that writes nothing: the default of libraries. */
export const silentLogger: Logger = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
  child: () => silentLogger,
};
