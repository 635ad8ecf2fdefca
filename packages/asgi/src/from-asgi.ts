// fromAsgi: an ASGI application as an app of the pipeline: http, websocket and lifespan.
import type { App, AppContext } from "@gw/core";
import type { AsgiApp } from "./app.ts";
import { Calls } from "./calls.ts";
import { HeadReader } from "./head.ts";
import { HttpCall } from "./http-call.ts";
import { Lifespan, type LifespanMode } from "./lifespan.ts";
import type { AppSettings } from "./response-call.ts";
import { httpScope, webSocketScope } from "./scope.ts";
import { WebSocketCall } from "./websocket-call.ts";

/** Inputs of `fromAsgi`. */
export interface FromAsgiOptions {
  /** Whether the app is told of start and stop. `auto`: unless it throws at a lifespan scope. @default "auto" */
  lifespan?: LifespanMode;
  /** Time for the startup, milliseconds. @default 30_000 */
  startupTimeoutMs?: number;
  /** Time a call may go on without its client before `receive` and `send` throw, milliseconds. @default 5_000 */
  graceMs?: number;
  /** Offers `http.response.debug` and takes its facts: for tests. @default not offered */
  debug?: (info: Readonly<Record<string, unknown>>) => void;
}

/**
 * An ASGI application as an app: called once for each request and socket, and once for its life.
 *
 * The answer goes out when its first body event comes, in one piece if that is
 * the only one; `send` waits for the client. What the app throws before the
 * response has begun becomes a 500, later it cuts the answer off.
 */
export function fromAsgi(app: AsgiApp, options: FromAsgiOptions = {}): App {
  const { lifespan: mode = "auto", startupTimeoutMs = 30_000, graceMs = 5_000, debug = null } = options;
  const settings: AppSettings = { calls: new Calls(graceMs), heads: new HeadReader(), debug };
  let scopes = { state: {}, hasDebug: debug !== null };
  let life: Lifespan | null = null;
  return {
    handle: (request) =>
      request.kind === "http"
        ? new HttpCall(request, settings).run(app, httpScope(request, scopes))
        : new WebSocketCall(request, settings).run(app, webSocketScope(request, scopes)),
    async start(context: AppContext): Promise<void> {
      life = new Lifespan(app, context, mode);
      scopes = { ...scopes, state: life.state };
      await life.start(startupTimeoutMs);
    },
    async stop(deadline: AbortSignal): Promise<void> {
      await settings.calls.idle(deadline);
      settings.calls.cancelAll();
      await life?.stop(deadline);
    },
    describe: () => ({ kind: "asgi", name: app.name || "application", facts: { lifespan: mode } }),
  };
}
