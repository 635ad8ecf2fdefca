// Runs a responder for `gw fastcgi`, and for `gw <app>` when a process manager started us with a listening socket.
import { type Address, type GatewayError, isGatewayError } from "@gw/core";
import { createLogger, type LogLevel, nodeContext, parseBind } from "@gw/core/node";
import { type FastcgiServerOptions, serveFastcgi } from "@gw/fastcgi";
import { loadApp } from "../app/load-app.ts";
import type { Invocation } from "../invocation.ts";
import { UsageError } from "../usage-error.ts";
import { bindsOf } from "./server-options.ts";
import { untilStopped } from "./signals.ts";

const DEFAULT_GRACEFUL_TIMEOUT_MS = 30_000;

/**
 * Loads and serves the app; settles with the exit code once a signal has stopped the responder.
 *
 * @throws UsageError, StartError, and what `serveFastcgi` throws, with nothing left running
 */
export async function serveFastcgiUntilStopped(
  invocation: Invocation,
  { listen = bindsOf(invocation.settings) }: Pick<FastcgiServerOptions, "listen">,
): Promise<number> {
  const { folder, operands, settings, configFile, stderr } = invocation;
  for (const bind of [listen].flat()) checkBind(bind);
  const log = createLogger({
    level: (settings.text("logLevel") ?? "info") as LogLevel,
    format: (settings.text("logFormat") ?? "text") as "text" | "json",
  });
  const gracefulTimeoutMs = settings.number("gracefulTimeout") ?? DEFAULT_GRACEFUL_TIMEOUT_MS;
  const maxBodyBytes = settings.number("limitRequestBody");
  try {
    const load = (from: Invocation, fresh: boolean) =>
      loadApp({ folder, operand: operands[0], settings: from.settings, configFile: from.configFile, fresh });
    const app = await loadApp({ folder, operand: operands[0], settings, configFile });
    const server = serveFastcgi(app, {
      listen,
      context: nodeContext({ log }),
      gracefulTimeoutMs,
      ...(maxBodyBytes !== undefined && { maxBodyBytes }),
    });
    const reload = async (): Promise<void> => {
      try {
        await server.reload(await load(await invocation.reread(), true));
        log.info("reloaded");
      } catch (error) {
        log.error({ err: error }, "the reload failed; the app that ran goes on");
      }
    };
    const stopped = untilStopped({
      server,
      reload: () => void reload(),
      onStop: () => {},
      gracefulTimeoutMs,
      giveUp() {
        stderr.write("gw: stopped; the app did not stop in time\n");
        process.exit(1);
      },
    });
    stopped.catch(() => {}); // of a start that failed: `ready` says so, too
    await server.ready;
    for (const address of server.addresses) stderr.write(`gw: listening on ${fastcgiAddressText(address)}\n`);
    await stopped;
    return 0;
  } finally {
    await log.flush();
  }
}

function checkBind(text: string): void {
  try {
    parseBind(text);
  } catch (error) {
    if (!isGatewayError(error)) throw error;
    throw new UsageError((error as GatewayError).message, { cause: error });
  }
}

function fastcgiAddressText(address: Address): string {
  if ("path" in address) return address.path === "" ? "fastcgi: descriptor 0" : `fastcgi:unix:${address.path}`;
  return `fastcgi:${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}
