// fromWsgi: a WSGI application as an app of the pipeline, called on the main thread.
import {
  type App,
  type AppContext,
  bufferBody,
  type HttpRequest,
  type HttpResponse,
  http,
  isPromise,
  type Lifecycle,
  markAsync,
  type SpoolStore,
} from "@gw/core";
import type { FileSpoolOptions } from "@gw/core/node";
import { callApp } from "./call.ts";
import type { Concurrency } from "./environ.ts";
import { HeadReader } from "./head.ts";
import { LongCalls } from "./long-calls.ts";
import type { WsgiApp } from "./types.ts";

/** Inputs of `fromWsgi`. */
export interface FromWsgiOptions {
  /** Bytes of a request body kept in memory; larger ones go to a temporary file. @default 65_536 */
  maxMemoryBytes?: number;
  /** Directory of the temporary files. @default the system's */
  spoolDirectory?: string;
  /** `wsgi.multiprocess`: whether other processes serve the same app. @default what the carrier says at start, else false */
  multiprocess?: boolean;
  /** `wsgi.run_once`: whether this process ends after one request. @default what the carrier says at start (CGI), else false */
  runOnce?: boolean;
}

/**
 * A WSGI application as an app.
 *
 * The body is read first, into memory and then a temporary file, unless it is
 * there already; then the app runs, synchronously. A request without a body,
 * or with one that can be read synchronously, makes no promise at all.
 *
 * The app blocks this thread while it runs: keep it short, or run it on
 * threads (`wsgiThreads`) or in a process of its own. The first call that
 * takes more than 100 ms is told of in the log. WebSockets are refused with 400.
 */
export function fromWsgi(app: WsgiApp & Lifecycle, options: FromWsgiOptions = {}): App {
  const { maxMemoryBytes = 65_536, spoolDirectory } = options;
  let concurrency = concurrencyOf(options, {});
  const spool = lateFileSpool(spoolDirectory === undefined ? {} : { directory: spoolDirectory });
  const heads = new HeadReader();
  const name = app.name || "application";
  const long = new LongCalls(name);
  const call = (request: HttpRequest): HttpResponse => callApp(app, request, concurrency, heads);
  // Where one request is all there is, nobody else waits.
  const run = (request: HttpRequest): HttpResponse => (concurrency.runOnce ? call(request) : long.watch(request, call));
  return {
    handle: http((request) => {
      const { body } = request;
      if (body.length === 0 || body.readSync !== undefined) return run(request);
      const buffered = bufferBody(request, { maxMemoryBytes, spool });
      return isPromise(buffered)
        ? markAsync(buffered.then(run), "fromWsgi, which reads the body first")
        : run(buffered);
    }),
    ...lifeOf(app),
    start(context) {
      concurrency = concurrencyOf(options, context);
      return app.start?.(context);
    },
    describe: () => ({ kind: "wsgi", name }),
  };
}

/** Temporary files, whose code is read when a body needs one: it would be a fifth of the start of a CGI program. */
function lateFileSpool(options: FileSpoolOptions): SpoolStore {
  return { open: async () => (await import("@gw/core/node")).fileSpool(options).open() };
}

function concurrencyOf(
  { multiprocess, runOnce }: FromWsgiOptions,
  { hasSiblings = false, runsOnce = false }: Partial<AppContext>,
): Concurrency {
  return { multithread: false, multiprocess: multiprocess ?? hasSiblings, runOnce: runOnce ?? runsOnce };
}

/** The life that `toWsgi` hands on: WSGI itself knows none. */
function lifeOf({ stop, reload, status }: Lifecycle): Lifecycle {
  return { ...(stop && { stop }), ...(reload && { reload }), ...(status && { status }) };
}
