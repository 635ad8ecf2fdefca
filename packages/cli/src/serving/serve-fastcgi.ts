// `gw fastcgi`, and `gw <app>` when a process manager started us with a listening socket: a FastCGI responder.
import type { Address } from "@gw/core";
import { type FastcgiServerOptions, serveFastcgi } from "@gw/fastcgi";
import { DEFAULT_THREADS, loadApp } from "../app/load-app.ts";
import type { Invocation } from "../invocation.ts";
import { runServer } from "./run-server.ts";
import { bindsOf, checkBinds, gracefulTimeoutOf } from "./server-options.ts";

/**
 * Serves the app to web servers until a signal stops the responder; gives the exit code.
 *
 * @throws UsageError, StartError, and what `serveFastcgi` throws, with nothing left running
 */
export async function serveFastcgiUntilStopped(
  invocation: Invocation,
  { listen = bindsOf(invocation.settings) }: Pick<FastcgiServerOptions, "listen">,
): Promise<number> {
  const { settings, folder, operands } = invocation;
  checkBinds([listen].flat());
  const gracefulTimeoutMs = gracefulTimeoutOf(settings);
  const maxBodyBytes = settings.number("limitRequestBody");
  return runServer(invocation, {
    load: (current, { fresh }) =>
      loadApp({
        folder,
        operand: operands[0],
        settings: current.settings,
        configFile: current.configFile,
        fresh,
        threads: DEFAULT_THREADS,
      }),
    binds: [listen].flat(),
    open: (app, context, binds) =>
      serveFastcgi(app, {
        listen: binds,
        context,
        gracefulTimeoutMs,
        ...(maxBodyBytes !== undefined && { maxBodyBytes }),
      }),
    textOf: addressText,
    gracefulTimeoutMs,
    isWatching: settings.isOn("reload") ?? false,
  });
}

function addressText(address: Address): string {
  if ("path" in address) return address.path === "" ? "fastcgi: descriptor 0" : `fastcgi:unix:${address.path}`;
  return `fastcgi:${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}
