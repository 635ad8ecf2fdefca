// `gw fastcgi`, and `gw <app>` when a process manager started us with a listening socket: a FastCGI responder, or what
// `--role` says.
import { type Address, type App, type Middleware, peerList } from "@gw/core";
import { authorizer, type FastcgiServerOptions, serveFastcgi } from "@gw/fastcgi";
import { gatewayLimit, limitedBy } from "../app/concurrency-limit.ts";
import { DEFAULT_THREADS, loadApp } from "../app/load-app.ts";
import type { Invocation } from "../invocation.ts";
import { UsageError } from "../usage-error.ts";
import { runServer } from "./run-server.ts";
import { bindsOf, checkBinds, checked, gracefulTimeoutOf, limitsIn } from "./server-options.ts";
import { variablesOptionsOf } from "./variables-options.ts";

const LIMITS = {
  timeout: "requestTimeoutMs",
  headerTimeout: "headerTimeoutMs",
  limitRequestBody: "maxBodyBytes",
  minBodyRate: "minBodyBytesPerSecond",
  writeTimeout: "writeTimeoutMs",
} as const satisfies Readonly<Record<string, keyof FastcgiServerOptions>>;

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
  const allowedPeers = settings.list("allowedPeers");
  checked(() => peerList(allowedPeers), "--allowed-peers: ");
  const variables = variablesOptionsOf(settings);
  const limits = limitsIn(settings, LIMITS);
  const role = (settings.text("role") ?? "responder") as NonNullable<FastcgiServerOptions["role"]>;
  return runServer(invocation, {
    load: async (current, { fresh }) => {
      const app = await loadApp({
        folder,
        operand: operands[0],
        settings: current.settings,
        configFile: current.configFile,
        fresh,
        threads: DEFAULT_THREADS,
        ...(role === "authorizer" && { ofLayers: authorizerOf }),
      });
      return limitedBy(gatewayLimit(current.settings), app);
    },
    binds: [listen].flat(),
    open: (app, context, binds) =>
      serveFastcgi(app, {
        listen: binds,
        role,
        context,
        gracefulTimeoutMs,
        ...variables,
        ...(allowedPeers.length > 0 && { allowedPeers }),
        ...limits,
      }),
    textOf: (address) => addressText(address, [listen].flat()),
    gracefulTimeoutMs,
    isWatching: settings.isOn("reload") ?? false,
  });
}

/** @throws UsageError without a layer: nobody could ever pass */
function authorizerOf(layers: readonly Middleware[]): App {
  if (layers.length > 0) return authorizer(layers);
  throw new UsageError("--role authorizer needs the layers that decide: --use 'basic-auth?htpasswd=./users'");
}

/** The address of an inherited unix socket is not told: it is named by its descriptor. */
function addressText(address: Address, binds: readonly string[]): string {
  if (!("path" in address)) {
    return `fastcgi:${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
  }
  if (address.path !== "") return `fastcgi:unix:${address.path}`;
  return `fastcgi: descriptor ${binds.map((bind) => /^fd:(?:\/\/)?(\d+)$/.exec(bind)?.[1]).find(Boolean) ?? 0}`;
}
