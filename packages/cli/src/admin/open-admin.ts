// Opens the admin listener: what may be asked there depends on who can reach it.
import type { AppContext, GatewayRequest } from "@gw/core";
import { parseBind } from "@gw/core/node";
import { type RunningServer, serve } from "@gw/http";
import { type AdminAccess, adminApp } from "./admin-app.ts";
import type { GatewayControl } from "./control.ts";

const LOCAL_HOSTS = ["localhost", "127.0.0.1", "::1"];

/**
 * Serves the admin app at every address.
 *
 * A unix socket is for its owner (0600) and may do everything; a loopback address may look; any other address gets
 * probes and metrics only. A page of somebody else in a browser of this machine cannot read along: at loopback addresses
 * the host must be a local one.
 *
 * @throws GatewayError what `serve` throws
 */
export async function openAdmin(
  binds: readonly string[],
  control: GatewayControl,
  context: AppContext,
): Promise<RunningServer | null> {
  if (binds.length === 0) return null;
  for (const bind of binds) parseBind(bind);
  const server = serve(adminApp(control, accessOf), {
    bind: binds,
    unixMode: 0o600,
    context,
    gracefulTimeoutMs: 1_000,
    limits: { maxBodyBytes: 10_000 },
  });
  await server.ready;
  return server;
}

/** What the asker may do. Exported for tests. Pure. */
export function accessOf({
  client,
  server,
  headers,
}: Pick<GatewayRequest, "client" | "server" | "headers">): AdminAccess {
  if (client === null) return "probes";
  if ("path" in client) return "control";
  // A front server on this machine asks for somebody else.
  if (headers.has("x-forwarded-for") || headers.has("forwarded")) return "probes";
  const isLocal = isLoopback(client.host) && "host" in server && LOCAL_HOSTS.includes(server.host);
  return isLocal ? "look" : "probes";
}

function isLoopback(host: string): boolean {
  return host.startsWith("127.") || host === "::1";
}
