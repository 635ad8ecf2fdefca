// Runs a server for `gw serve` and `gw dev`: load, bind, say where, obey signals, reload.
import { rmSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type Address, type App, compose, type Middleware } from "@gw/core";
import { createLogger, type LogLevel, nodeContext } from "@gw/core/node";
import { type RunningServer, serve } from "@gw/http";
import { readConfigFile } from "./config/file.ts";
import { devErrors } from "./dev-page.ts";
import type { Invocation } from "./invocation.ts";
import { loadApp } from "./load-app.ts";
import { errorLine } from "./print.ts";
import { serveOptionsOf } from "./server-options.ts";
import { splitExport } from "./targets/file.ts";
import { StartError } from "./usage-error.ts";
import { watchTree } from "./watch-tree.ts";

/** How the server is run. */
export interface ServeMode {
  /** Reload on change, lint, error pages with stacks. */
  isDevelopment: boolean;
}

/** Loads and serves the app; settles with the exit code once a signal has stopped the server. */
export async function serveUntilStopped(invocation: Invocation, mode: ServeMode): Promise<number> {
  const { settings, stderr } = invocation;
  const options = serveOptionsOf(settings);
  const log = createLogger({
    level: (settings.text("logLevel") ?? "info") as LogLevel,
    format: (settings.text("logFormat") ?? "text") as "text" | "json",
  });
  const app = await wrappedApp(invocation, mode, false);
  const removePid = writePid(invocation);
  try {
    const server = serve(app, { ...options, context: nodeContext({ log }) });
    await server.ready;
    for (const address of server.addresses) {
      stderr.write(`gw: listening on ${addressText(address, options.tls !== undefined)}\n`);
    }
    const stopWatching = watchForReload(invocation, mode, server);
    await untilStopped(server, () => reload(invocation, mode, server)).finally(stopWatching);
    stderr.write("gw: stopped\n");
    return 0;
  } finally {
    removePid();
    await log.flush();
  }
}

/** The app inside the layers that the command adds. */
async function wrappedApp(invocation: Invocation, mode: ServeMode, fresh: boolean): Promise<App> {
  const { folder, operands, settings } = invocation;
  const configFile =
    fresh && invocation.configFile !== null
      ? await readConfigFile(invocation.configFile.file, { fresh })
      : invocation.configFile;
  const app = await loadApp({ folder, operand: operands[0], settings, configFile, fresh });
  const layers: Middleware[] = [];
  if (settings.isOn("accessLog") ?? true) {
    const { accessLog } = await import("@gw/middleware/access-log");
    layers.push(accessLog({ format: settings.text("logFormat") === "json" ? "json" : "combined" }));
  }
  if (!mode.isDevelopment) return compose(layers, app);
  const { lint } = await import("@gw/core/lint");
  return compose([...layers, devErrors()], lint(app));
}

async function reload(invocation: Invocation, mode: ServeMode, server: RunningServer): Promise<void> {
  const begun = performance.now();
  try {
    await server.reload(await wrappedApp(invocation, mode, true));
    invocation.stderr.write(`gw: reloaded in ${Math.round(performance.now() - begun)} ms\n`);
  } catch (error) {
    invocation.stderr.write(`${errorLine(error)}\ngw: not reloaded; the app from before goes on\n`);
  }
}

function watchForReload(invocation: Invocation, mode: ServeMode, server: RunningServer): () => void {
  const { settings, folder } = invocation;
  if (!(settings.isOn("reload") ?? mode.isDevelopment)) return () => {};
  let running = Promise.resolve();
  const directories = settings.list("reloadDir").map((one) => resolve(folder, one));
  const watch = watchTree(directories.length > 0 ? directories : [appDirectory(invocation)], () => {
    running = running.then(() => reload(invocation, mode, server));
  });
  return () => watch.close();
}

/** The folder of the app's file, of the configuration file, or the current one. */
function appDirectory({ folder, operands, configFile }: Invocation): string {
  const [operand] = operands;
  if (operand === undefined) return configFile === null ? folder : dirname(configFile.file);
  return /^[a-z][a-z0-9-]*:/.test(operand) ? folder : dirname(resolve(folder, splitExport(operand).file));
}

/** TERM drains, a second one or INT stops at once, HUP reloads. */
function untilStopped(server: RunningServer, onHangup: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const close = (): void => void server.close().then(settle(resolve), settle(reject));
    const handlers = {
      SIGTERM: close,
      SIGINT() {
        close();
        close(); // a second close cuts what still runs
      },
      SIGHUP: () => void onHangup(),
    };
    const settle = <T>(end: (value: T) => void) => {
      return (value: T): void => {
        for (const [signal, handler] of Object.entries(handlers)) process.off(signal, handler);
        end(value);
      };
    };
    for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler);
  });
}

function writePid({ settings, folder }: Invocation): () => void {
  const name = settings.text("pid");
  if (name === undefined) return () => {};
  const file = resolve(folder, name);
  try {
    writeFileSync(file, `${process.pid}\n`);
  } catch (error) {
    throw new StartError(`cannot write --pid ${name}: ${(error as Error).message}`, { cause: error });
  }
  return () => rmSync(file, { force: true });
}

function addressText(address: Address, isTls: boolean): string {
  if ("path" in address) return `unix:${address.path}`;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${isTls ? "https" : "http"}://${host}:${address.port}`;
}
