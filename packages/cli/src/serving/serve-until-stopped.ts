// Runs a server for `gw serve` and `gw dev`: load, bind, say where, obey signals, reload.
import { type Address, isGatewayError } from "@gw/core";
import { createLogger, type LeveledLogger, type LogLevel, nodeContext } from "@gw/core/node";
import { serve } from "@gw/http";
import type { Invocation } from "../invocation.ts";
import { StartError } from "../usage-error.ts";
import { type PidFile, preparePidFile } from "./pid-file.ts";
import { Reloader } from "./reloader.ts";
import { servedApp } from "./served-app.ts";
import { type ServeMode, serveOptionsOf } from "./server-options.ts";
import { untilStopped } from "./signals.ts";
import { foldersToWatch } from "./watch-app.ts";
import { type TreeWatch, watchTree } from "./watch-tree.ts";

const DEFAULT_GRACEFUL_TIMEOUT_MS = 30_000;

/**
 * Loads and serves the app; settles with the exit code once a signal has stopped the server.
 *
 * @throws UsageError, StartError, and what `serve` throws, with nothing left running
 */
export async function serveUntilStopped(invocation: Invocation, mode: ServeMode): Promise<number> {
  const { settings, stderr } = invocation;
  const options = serveOptionsOf(settings, mode);
  const log = createLogger({
    level: (settings.text("logLevel") ?? "info") as LogLevel,
    format: (settings.text("logFormat") ?? "text") as "text" | "json",
  });
  const app = await servedApp(invocation, mode);
  const pid = settings.text("pid");
  const pidFile = pid === undefined ? null : preparePidFile(pid);
  const forgetErrors = logStrayErrors(log);
  let watch: TreeWatch | null = null;
  try {
    const watched = (settings.isOn("reload") ?? mode.isDevelopment) ? foldersToWatch(invocation) : [];
    watch = watchTree(watched, () => void reloader.reload());
    const server = serve(app, { ...options, context: nodeContext({ log }) });
    const reloader = new Reloader(invocation, { ...mode, server, log });
    const stopped = untilStopped({
      server,
      reload: () => void reloader.reload(),
      onStop: () => reloader.close(),
      gracefulTimeoutMs: options.gracefulTimeoutMs ?? DEFAULT_GRACEFUL_TIMEOUT_MS,
      giveUp: () => endWithoutApp(stderr, pidFile),
    });
    stopped.catch(() => {}); // of a start that failed: `ready` says so, too
    await server.ready.catch(explainStart);
    pidFile?.publish();
    for (const address of server.addresses) {
      stderr.write(`gw: listening on ${addressText(address, options.tls !== undefined)}\n`);
    }
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

/** Where a bind listens, as the line for people and their scripts has it. */
export function addressText(address: Address, isTls: boolean): string {
  if ("path" in address) return `unix:${address.path}`;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${isTls ? "https" : "http"}://${host}:${address.port}`;
}
