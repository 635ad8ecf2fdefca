// `gw <app>`: picks the carrier from how the process was started, so that one file runs everywhere.
import type { Invocation } from "../invocation.ts";

/** CGI when `GATEWAY_INTERFACE` says so (RFC 3875 §4.1.4), else HTTP. */
export async function run(invocation: Invocation): Promise<number> {
  const { run: start } = await (invocation.environment.GATEWAY_INTERFACE?.startsWith("CGI/")
    ? import("./cgi.ts")
    : import("./serve.ts"));
  return start(invocation);
}
