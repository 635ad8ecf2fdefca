// The app with what the command puts around it: access log, and for its developer lint and error pages.
import { type App, compose } from "@gw/core";
import { gatewayLimit, layersOfLimit } from "../app/concurrency-limit.ts";
import { DEFAULT_THREADS, loadApp } from "../app/load-app.ts";
import type { Invocation } from "../invocation.ts";
import { accessLogs } from "./access-logs.ts";
import type { ServeMode } from "./server-options.ts";

/** How the app is loaded. */
export interface ServedAppOptions extends ServeMode {
  /** Load modules past the cache, for a reload. @default false */
  readonly fresh?: boolean;
}

/** Loads the app of a call and wraps it. Starts nothing. */
export async function servedApp(
  invocation: Invocation,
  { isDevelopment, fresh = false }: ServedAppOptions,
): Promise<App> {
  const { folder, operands, settings, configFile } = invocation;
  const isWatching = settings.isOn("reload") ?? isDevelopment;
  const app = await loadApp({
    folder,
    operand: operands[0],
    settings,
    configFile,
    fresh,
    isWatching,
    threads: DEFAULT_THREADS,
  });
  const layers = [...(await accessLogs(invocation)), ...(await layersOfLimit(gatewayLimit(settings)))];
  if (!isDevelopment) return compose(layers, app);
  const { lint } = await import("@gw/core/lint");
  const { showExceptions } = await import("@gw/middleware/show-exceptions");
  return compose([...layers, showExceptions({ force: true })], lint(app)); // who calls `gw dev` develops
}
