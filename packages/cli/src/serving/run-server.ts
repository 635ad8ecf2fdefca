// The life of a server, whatever it speaks: load, watch, open, say where, obey signals, reload, clean up.
import { type Address, type App, type AppContext, isGatewayError } from "@gw/core";
import { createLogger, type LeveledLogger, type LogLevel, nodeContext } from "@gw/core/node";
import type { Invocation } from "../invocation.ts";
import { StartError } from "../usage-error.ts";
import { type PidFile, preparePidFile } from "./pid-file.ts";
import { Reloader } from "./reloader.ts";
import { untilStopped } from "./signals.ts";
import { foldersToWatch } from "./watch-app.ts";
import { type TreeWatch, watchTree } from "./watch-tree.ts";

/** A server that was opened: those of `@gw/http` and `@gw/fastcgi` are. */
export interface OpenServer {
  readonly addresses: readonly Address[];
  /** Settles when every bind listens. */
  readonly ready: Promise<void>;
  /** Finishes what runs; a second call cuts it. */
  close(): Promise<void>;
  /** Puts the next app in place. */
  reload(app: App): Promise<void>;
}

/** What a command makes of a call. */
export interface ServerPlan {
  /** Loads the app as the call has it now, past the module cache if it is `fresh`. */
  load(invocation: Invocation, options: { fresh: boolean }): Promise<App>;
  /** Opens the server; returns at once. */
  open(app: App, context: AppContext): OpenServer;
  /** Where it listens, for people and their scripts. */
  textOf(address: Address): string;
  /** Time for what runs at a stop or reload, milliseconds. */
  readonly gracefulTimeoutMs: number;
  /** Whether a changed file loads the app anew. */
  readonly isWatching: boolean;
}

/**
 * Runs a server until a signal has stopped it; gives the exit code.
 *
 * @throws UsageError, StartError, and what the server throws, with nothing left running
 */
export async function runServer(invocation: Invocation, plan: ServerPlan): Promise<number> {
  const { settings, stderr } = invocation;
  const log = createLogger({
    level: (settings.text("logLevel") ?? "info") as LogLevel,
    format: (settings.text("logFormat") ?? "text") as "text" | "json",
  });
  const app = await plan.load(invocation, { fresh: false });
  const pid = settings.text("pid");
  const pidFile = pid === undefined ? null : preparePidFile(pid);
  const forgetErrors = logStrayErrors(log);
  let watch: TreeWatch | null = null;
  try {
    watch = watchTree(plan.isWatching ? foldersToWatch(invocation) : [], () => void reloader.reload());
    const server = plan.open(app, nodeContext({ log }));
    const reloader = new Reloader(invocation, { load: plan.load, app, server, log });
    const stopped = untilStopped({
      server,
      reload: () => void reloader.reload(),
      onStop: () => reloader.close(),
      gracefulTimeoutMs: plan.gracefulTimeoutMs,
      giveUp: () => endWithoutApp(stderr, pidFile),
    });
    stopped.catch(() => {}); // of a start that failed: `ready` says so, too
    await server.ready.catch(explainStart);
    pidFile?.publish();
    for (const address of server.addresses) stderr.write(`gw: listening on ${plan.textOf(address)}\n`);
    await stopped;
    stderr.write("gw: stopped\n");
    return 0;
  } finally {
    watch?.close();
    forgetErrors();
    pidFile?.remove();
    await log.flush();
  }
}

/** Our own errors say what is missing; anything else comes from the app. */
function explainStart(error: unknown): never {
  if (isGatewayError(error)) throw error;
  throw new StartError(`the app did not start: ${error instanceof Error ? error.message : String(error)}`, {
    cause: error,
  });
}

/** An error that an app leaves lying about costs its own request, not the gateway (R-W5). */
function logStrayErrors(log: LeveledLogger): () => void {
  const onError = (error: unknown): void => log.error({ err: error }, "an error outside of any request");
  process.on("uncaughtException", onError);
  process.on("unhandledRejection", onError);
  return () => {
    process.off("uncaughtException", onError);
    process.off("unhandledRejection", onError);
  };
}

function endWithoutApp(stderr: Invocation["stderr"], pidFile: PidFile | null): never {
  pidFile?.remove();
  stderr.write("gw: stopped; the app did not stop in time\n");
  process.exit(1);
}
