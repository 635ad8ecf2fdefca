// `gw serve` and `gw dev`: an HTTP server.
import type { Address } from "@gw/core";
import { serve } from "@gw/http";
import type { Invocation } from "../invocation.ts";
import { runServer } from "./run-server.ts";
import { servedApp } from "./served-app.ts";
import { type ServeMode, serveOptionsOf } from "./server-options.ts";

/**
 * Serves the app over HTTP until a signal stops the server; gives the exit code.
 *
 * @throws UsageError, StartError, and what `serve` throws, with nothing left running
 */
export async function serveHttp(invocation: Invocation, mode: ServeMode): Promise<number> {
  const options = serveOptionsOf(invocation.settings, mode);
  return runServer(invocation, {
    load: (current, { fresh }) => servedApp(current, { ...mode, fresh }),
    binds: options.bind,
    open: (app, context, bind) => serve(app, { ...options, bind, context }),
    textOf: (address) => urlText(address, options.tls !== undefined),
    gracefulTimeoutMs: options.gracefulTimeoutMs,
    isWatching: invocation.settings.isOn("reload") ?? mode.isDevelopment,
  });
}

function urlText(address: Address, isTls: boolean): string {
  if ("path" in address) return `unix:${address.path}`;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${isTls ? "https" : "http"}://${host}:${address.port}`;
}
