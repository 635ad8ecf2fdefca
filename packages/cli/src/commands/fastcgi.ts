// `gw fastcgi`: a FastCGI responder behind a web server.
import type { FastcgiServerOptions } from "@gw/fastcgi";
import type { Invocation } from "../invocation.ts";
import { serveFastcgiUntilStopped } from "../serving/serve-fastcgi.ts";

/** Serves the app until a signal stops it. */
export async function run(invocation: Invocation, options: FastcgiServerOptions = {}): Promise<number> {
  return serveFastcgiUntilStopped(invocation, (await isStartedWithSocket(invocation)) ? { listen: "fd://0" } : options);
}

/** A process manager's socket, unless an address is given. */
async function isStartedWithSocket({ settings }: Invocation): Promise<boolean> {
  if (["bind", "uds", "fd", "host", "port"].some((key) => settings.originOf(key) !== null)) return false;
  const { isListeningSocket } = await import("@gw/core/node");
  return isListeningSocket(0);
}
