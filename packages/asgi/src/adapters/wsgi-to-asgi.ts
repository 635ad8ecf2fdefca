// wsgiToAsgi: a WSGI application for a server that speaks ASGI.
import type { Lifecycle } from "@gw/core";
import { type FromWsgiOptions, fromWsgi, type WsgiApp, type WsgiThreadsOptions, wsgiThreads } from "@gw/wsgi";
import type { AsgiApp } from "../app.ts";
import { type ToAsgiOptions, toAsgi } from "../to-asgi.ts";

/** Inputs of `wsgiToAsgi`: those of `toAsgi`, and of `fromWsgi` for a function, of `wsgiThreads` for a file. */
export type WsgiToAsgiOptions = ToAsgiOptions & FromWsgiOptions & WsgiThreadsOptions;

/**
 * A WSGI application as an ASGI application: http and lifespan; sockets are refused with 400.
 *
 * A function runs on the calling thread, which it blocks, with its body read
 * first; the app of a file (`./app.ts`, `./app.ts:name`) runs in worker threads, which
 * start and stop with the lifespan.
 *
 * @throws GatewayError `GW_THREAD_OPTION`
 */
export function wsgiToAsgi(app: (WsgiApp & Lifecycle) | string | URL, options: WsgiToAsgiOptions = {}): AsgiApp {
  return toAsgi(typeof app === "function" ? fromWsgi(app, options) : wsgiThreads(app, options), options);
}
