// pythonWsgi: a WSGI application written in Python, run in worker processes.
import { type App, bufferBody, type HttpRequest, http, isPromise, mountVariables, writeVariables } from "@gw/core";
import { fileSpool } from "@gw/core/node";
import { type PythonOptions, PythonWorkers, type RequestEncoder } from "@gw/python";

declare const __GW_VERSION__: string;

/** Inputs of `pythonWsgi`. */
export type PythonWsgiOptions = Omit<PythonOptions, "maxConcurrent" | "maxSockets" | "lifespan" | "graceMs">;

/**
 * A Python WSGI application as an app: `pythonWsgi("module:app")` or `pythonWsgi("module:create_app()")`.
 *
 * It runs in processes of its own, which are started, watched, replaced and
 * stopped with the gateway; while none can serve it, it answers 503 and the
 * rest of the gateway lives. With `threads: 1` a request's body is read before
 * the app is called, so that a slow client blocks nobody. WebSockets are
 * refused with 400. With `engine: "wasm"` it runs on Pyodide in threads of
 * this process; docs/python.md has the limits.
 *
 * @throws GatewayError `GW_PYTHON_OPTION`
 */
export function pythonWsgi(app: string, options: PythonWsgiOptions = {}): App {
  const workers = new PythonWorkers(app, "wsgi", options);
  const spool = fileSpool();
  const isInline = options.threads === 1 || options.engine === "wasm";
  return {
    handle: http((request) => {
      if (!isInline || request.body.length === 0) return workers.request(request, encoder);
      const buffered = bufferBody(request, { spool });
      return isPromise(buffered)
        ? buffered.then((whole) => workers.request(whole, encoder))
        : workers.request(buffered, encoder);
    }),
    start: (context) => workers.start(context),
    stop: (deadline) => workers.stop(deadline),
    reload: () => workers.reload(),
    describe: () => workers.describe(),
    status: () => workers.status(),
  };
}

const SOFTWARE = `gw/${__GW_VERSION__}`;

/** Kind, stream, environ, body, whether more follows, whether 103s can be sent. */
const encoder: RequestEncoder<HttpRequest> = {
  size: 6,
  write(marshal, request, body, hasMore) {
    const environ = writeVariables(request, {
      interface: "wsgi",
      software: SOFTWARE,
      variables: mountVariables(request),
    });
    marshal.dict();
    for (const name in environ) {
      marshal.name(name);
      marshal.text(environ[name] as string);
    }
    marshal.endDict();
    marshal.bytes(body);
    marshal.boolean(hasMore);
    marshal.boolean(request.exchange.inform !== undefined);
  },
};
