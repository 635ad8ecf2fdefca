// `gw serve`: the HTTP server.
import type { Invocation } from "../invocation.ts";
import { serveUntilStopped } from "../serving/serve-until-stopped.ts";

/** Serves the app until a signal stops it. */
export function run(invocation: Invocation): Promise<number> {
  return serveUntilStopped(invocation, { isDevelopment: false });
}
