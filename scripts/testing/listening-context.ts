// A context whose log can be listened to.
import { type AppContext, createContext, type Logger } from "@gw/core";

/** A context, and what was logged in it. */
export interface ListeningContext {
  readonly context: AppContext;
  /** Messages, in order. */
  readonly log: readonly string[];
  /** Messages of the errors that were logged, in order. */
  readonly errors: readonly string[];
  /** Settles when a message matches. */
  logged(pattern: RegExp): Promise<string>;
}

/** A context whose log can be listened to. */
export function listeningContext(): ListeningContext {
  const [log, errors]: [string[], string[]] = [[], []];
  const waiting = new Set<() => void>();
  const write = (facts: object | string, message?: string): void => {
    log.push(typeof facts === "string" ? facts : `${message ?? ""}`);
    if (typeof facts === "object" && "err" in facts && facts.err instanceof Error) errors.push(facts.err.message);
    for (const look of waiting) look();
  };
  const logger: Logger = {
    trace: write,
    debug: write,
    info: write,
    warn: write,
    error: write,
    fatal: write,
    child: () => logger,
  };
  const logged = (pattern: RegExp): Promise<string> =>
    new Promise((done) => {
      const look = (): void => {
        const line = log.find((one) => pattern.test(one));
        if (line === undefined) return;
        waiting.delete(look);
        done(line);
      };
      waiting.add(look);
      look();
    });
  return { context: createContext({ log: logger }), log, errors, logged };
}
