// `gw serve`: the HTTP server.
import type { Invocation } from "../invocation.ts";
import { serveHttp } from "../serving/serve-http.ts";

/** Serves the app until a signal stops it. */
export function run(invocation: Invocation): Promise<number> {
  return serveHttp(invocation, { isDevelopment: false });
}
