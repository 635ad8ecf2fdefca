// Replaces the running app by a new load of it: one at a time, and a broken one changes nothing.
import type { App } from "@gw/core";
import type { LeveledLogger, LogLevel } from "@gw/core/node";
import { OPTIONS } from "../config/options.ts";
import type { EffectiveSettings } from "../config/settings.ts";
import type { Invocation } from "../invocation.ts";
import { errorLine } from "../print.ts";
import { oneAtATime } from "./one-at-a-time.ts";
import { refuseFailed } from "./settled-status.ts";

/** What a reload works on. */
export interface ReloaderOptions {
  /** Loads the app of a call. */
  readonly load: (invocation: Invocation, options: { fresh: boolean }) => Promise<App>;
  /** The app that runs now. */
  readonly app: App;
  readonly server: { reload(app: App): Promise<void> };
  readonly log: LeveledLogger;
}

const CLOSED = "gw: the gateway is stopping";

/** Reloads on demand. */
export class Reloader {
  readonly #options: ReloaderOptions;
  #invocation: Invocation;
  #app: App;
  #isClosed = false;

  /**
   * Loads the app anew and puts it in place of the running one, which finishes what it has begun.
   *
   * Settles when the new one serves (`null`) or has failed (why, as one line); a call meanwhile leads to one more load.
   * Never rejects.
   */
  readonly reload: () => Promise<string | null> = oneAtATime(() => this.#reloadOnce());

  constructor(invocation: Invocation, options: ReloaderOptions) {
    this.#invocation = invocation;
    this.#options = options;
    this.#app = options.app;
  }

  /** From now on nothing is loaded any more: the server is about to stop. */
  close(): void {
    this.#isClosed = true;
  }

  async #reloadOnce(): Promise<string | null> {
    if (this.#isClosed) return CLOSED;
    const begun = performance.now();
    const { stderr } = this.#invocation;
    try {
      const next = await this.#invocation.reread();
      const app = await this.#options.load(next, { fresh: true });
      if (this.#isClosed) return CLOSED;
      await this.#replace(app);
      this.#useSettings(next);
      stderr.write(`gw: reloaded in ${Math.round(performance.now() - begun)} ms\n`);
      return null;
    } catch (error) {
      const line = errorLine(error);
      stderr.write(`${line}\ngw: not reloaded; the app from before goes on\n`);
      return line;
    }
  }

  /** Settles when the new app has started, from which moment it gets all requests; the old one may take long to end. */
  #replace(app: App): Promise<void> {
    const { server, log } = this.#options;
    return new Promise((resolve, reject) => {
      let isStarted = false;
      const start: App["start"] = async (context) => {
        await app.start?.(context);
        await this.#refuseWorse(app);
        this.#app = app;
        isStarted = true;
        resolve();
      };
      server.reload({ ...app, start }).catch((error: unknown) => {
        if (isStarted) log.error({ err: error }, "the app from before failed to stop");
        else reject(error);
      });
    });
  }

  /** A backend that failed is a mount that answers 503, but never in the place of one that served (R-O2). */
  async #refuseWorse(app: App): Promise<void> {
    if (this.#app.status?.().state !== "failed") await refuseFailed(app, "the new version does not get ready");
  }

  #useSettings(next: Invocation): void {
    const before = this.#invocation.settings;
    this.#invocation = next;
    this.#options.log.level = (next.settings.text("logLevel") ?? "info") as LogLevel;
    const changed = changedServerSettings(before, next.settings);
    if (changed.length > 0)
      next.stderr.write(`gw: ${changed.join(", ")} changed in the configuration; a restart puts it into effect\n`);
  }
}

const SERVER_GROUPS: readonly string[] = ["Binding", "TLS and protocols", "Limits", "Proxies", "Process"];

/** Limits that stand around the app, not at the sockets: a reload puts them into effect. */
const OF_THE_APP: readonly string[] = ["limitConcurrency", "limitQueue", "queueTimeout"];

/** The keys of settings that only a restart can change. Pure. */
export function changedServerSettings(before: EffectiveSettings, after: EffectiveSettings): string[] {
  const textOf = (settings: EffectiveSettings): Map<string, string> =>
    new Map([...settings].map(({ key, value }) => [key, JSON.stringify(value)]));
  const [old, current] = [textOf(before), textOf(after)];
  return OPTIONS.filter(({ group, key }) => SERVER_GROUPS.includes(group) || key === "logFormat" || key === "logFile")
    .map(({ key }) => key)
    .filter((key) => !OF_THE_APP.includes(key))
    .filter((key) => old.get(key) !== current.get(key));
}
