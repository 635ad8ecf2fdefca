// `gw serve`: the HTTP server.
import type { Invocation } from "../invocation.ts";
import { serveUntilStopped } from "../server.ts";

/** Serves the app until a signal stops it. */
export function run(invocation: Invocation): Promise<number> {
  return serveUntilStopped(invocation, { isDevelopment: false });
}
