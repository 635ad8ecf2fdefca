// `gw dev`: `gw serve` with reload on change, lint and error pages.
import type { Invocation } from "../invocation.ts";
import { serveHttp } from "../serving/serve-http.ts";

/** Serves the app for its developer until a signal stops it. */
export function run(invocation: Invocation): Promise<number> {
  return serveHttp(invocation, { isDevelopment: true });
}
