// toAsgi: any handler as an ASGI application: http, websocket and lifespan.
import { type AppContext, type AppSource, createContext, DEFAULT_MAX_BODY_BYTES, Runtime } from "@gw/core";
import type { AsgiApp, Receive, Send } from "./app.ts";
import { eventError } from "./errors.ts";
import { serveHttp } from "./serve-http.ts";
import { serveSocket } from "./serve-socket.ts";

/** Inputs of `toAsgi`. */
export interface ToAsgiOptions {
  /** Given to the app's `start`, and the source of the log. @default a silent context */
  context?: AppContext;
  /** Limit of a request body, bytes. @default 10_000_000 */
  maxBodyBytes?: number;
  /** Time for the app's `stop`, milliseconds. @default 30_000 */
  stopTimeoutMs?: number;
}

/**
 * A handler or app, sync or async, as an ASGI application.
 *
 * It takes part in the lifespan protocol: the app's `start` and `stop` run
 * there. Under a server without lifespan they do not run.
 */
export function toAsgi(source: AppSource, options: ToAsgiOptions = {}): AsgiApp {
  const { context = createContext(), maxBodyBytes = DEFAULT_MAX_BODY_BYTES, stopTimeoutMs = 30_000 } = options;
  const runtime = new Runtime(source, { context, maxBodyBytes });
  return async (scope, receive, send) => {
    switch (scope.type) {
      case "http":
        return serveHttp(runtime, scope, receive, send);
      case "websocket":
        return serveSocket(runtime, scope, receive, send);
      case "lifespan":
        return serveLife(runtime, receive, send, stopTimeoutMs);
      default:
        // "Applications should actively reject any protocol that they do not understand."
        throw eventError(String((scope as { type?: unknown }).type), "not a scope this app knows");
    }
  };
}

async function serveLife(runtime: Runtime, receive: Receive, send: Send, stopTimeoutMs: number): Promise<void> {
  await receive();
  try {
    await runtime.start();
  } catch (error) {
    runtime.log.error({ err: error }, "the app failed to start");
    return send({ type: "lifespan.startup.failed", message: messageOf(error) });
  }
  await send({ type: "lifespan.startup.complete" });
  await receive();
  try {
    await runtime.stop(AbortSignal.timeout(stopTimeoutMs));
  } catch (error) {
    runtime.log.error({ err: error }, "the app failed to stop");
    return send({ type: "lifespan.shutdown.failed", message: messageOf(error) });
  }
  await send({ type: "lifespan.shutdown.complete" });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
