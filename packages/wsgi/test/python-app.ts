// A Python app that runs in memory, with its log at hand.
import { type AppContext, createContext, type Logger } from "@gw/core";
import { type RunningApp, run } from "@gw/core/testing";
import { type PythonWsgiOptions, pythonWsgi } from "../src/python.ts";

/** A running app and what its gateway has logged. */
export interface PythonTestApp extends RunningApp {
  /** Messages, in order. */
  readonly log: readonly string[];
  /** Settles when a message matches. */
  logged(pattern: RegExp): Promise<string>;
}

export const apps: string = `${import.meta.dirname}/python`;

/** Starts an app of `wsgi_apps.py`, or of another module. */
export async function start(app: string, options: PythonWsgiOptions = {}): Promise<PythonTestApp> {
  const name = app.includes(":") ? app : `wsgi_apps:${app}`;
  const { context, ...log } = listeningContext();
  const running = await run(pythonWsgi(name, { cwd: apps, workers: 1, ...options }), { context });
  return { ...running, ...log };
}

/** A context whose log can be listened to. */
export function listeningContext(): Pick<PythonTestApp, "log" | "logged"> & { context: AppContext } {
  const log: string[] = [];
  const waiting = new Set<() => void>();
  const write = (facts: object | string, message?: string): void => {
    log.push(typeof facts === "string" ? facts : `${message ?? ""}`);
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
  return { context: createContext({ log: logger }), log, logged };
}
