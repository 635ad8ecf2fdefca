// wsgiThreads: a synchronous application in worker threads, so that it blocks nobody but its own clients.
import {
  type App,
  andThen,
  bufferBody,
  GatewayError,
  type HttpRequest,
  type HttpResponse,
  http,
  mountVariables,
  readBytes,
} from "@gw/core";
import { fileSpool } from "@gw/core/node";
import { readAppFile, threadSettings, type WsgiThreadsOptions } from "./threads/options.ts";
import { ThreadPool } from "./threads/pool.ts";
import { PIECE_BYTES } from "./threads/protocol.ts";
import { writeRequest } from "./threads/request-record.ts";
import type { CallRecord } from "./threads/thread-call.ts";

export type { WsgiThreadsOptions } from "./threads/options.ts";

/** A body up to this length travels with its request. */
const SHORT_BYTES = PIECE_BYTES / 4;
const NOTHING: Uint8Array = new Uint8Array(0);

/**
 * The WSGI application that a file exports (`./app.ts`, `./app.ts:admin`, or a `file:` URL), run in worker threads.
 *
 * Each thread loads the file for itself. Reading `wsgi.input` blocks the
 * thread until the client has sent more; the iterable is walked at the
 * client's pace. A thread that hangs or dies costs its own request and is
 * replaced; while the app cannot be loaded, the mount answers 503 and the rest
 * of the gateway lives. WebSockets are refused with 400.
 *
 * @throws GatewayError `GW_THREAD_OPTION`
 */
export function wsgiThreads(file: string | URL, options: WsgiThreadsOptions = {}): App {
  const settings = threadSettings(options);
  const { threads, bufferBodies = threads === 1, keys } = settings;
  const found = readAppFile(file);
  const pool = new ThreadPool(found, settings);
  const spool = fileSpool();
  const send = (request: HttpRequest, short: Uint8Array | null): Promise<HttpResponse> =>
    pool.answer(request, recordOf(request, short, keys));
  return {
    handle: http((request) => {
      const { length } = request.body;
      if (length === 0) return send(request, NOTHING);
      if (length !== null && length <= SHORT_BYTES) return andThen(readBytes(request), (bytes) => send(request, bytes));
      return bufferBodies ? andThen(bufferBody(request, { spool }), (whole) => send(whole, null)) : send(request, null);
    }),
    start: (context) => pool.start(context),
    stop: (deadline) => pool.stop(deadline),
    reload: () => pool.reload(),
    describe: () => ({ kind: "wsgi", name: options.name ?? found.text, facts: { threads } }),
    status: () => pool.status(),
  };
}

function recordOf(request: HttpRequest, short: Uint8Array | null, keys: WsgiThreadsOptions["keys"]): CallRecord {
  const isBodyRemote = short === null;
  const head = writeRequest({
    ...request,
    length: short === null ? request.body.length : short.length,
    variables: mountVariables(request),
    keys: keys === undefined ? "" : keysText(keys(request)),
    canInform: request.exchange.inform !== undefined,
    isBodyRemote,
  });
  return { ...head, bytes: short ?? NOTHING, isBodyRemote };
}

/** @throws GatewayError `GW_THREAD_KEYS` */
function keysText(keys: Readonly<Record<string, unknown>>): string {
  for (const name in keys) {
    if (name.includes(".") && !name.startsWith("wsgi.")) continue;
    const allowed = 'a name with a dot that does not begin with "wsgi."';
    throw new GatewayError("GW_THREAD_KEYS", 500, `an environ key is ${JSON.stringify(name)}; allowed is ${allowed}`);
  }
  return JSON.stringify(keys);
}
