// The environ of a request (PEP 3333, "environ Variables"): core's CGI variables and the wsgi.* keys.
import { HeaderList, type HttpRequest, mountVariables, writeVariables } from "@gw/core";
import type { WsgiErrors } from "./errors-stream.ts";
import { wrapFile } from "./file-wrapper.ts";
import { WsgiInput } from "./input.ts";
import type { Environ } from "./types.ts";

declare const __GW_VERSION__: string;

/** What the app is told of the processes it runs in. */
export interface Concurrency {
  /** `wsgi.multithread` */
  multithread: boolean;
  /** `wsgi.multiprocess` */
  multiprocess: boolean;
  /** `wsgi.run_once` */
  runOnce: boolean;
}

const VERSION: readonly [1, 0] = Object.freeze([1, 0] as const);
const SOFTWARE = `gw/${__GW_VERSION__}`;

/** Makes the environ: a plain object of its own for each request, which the app may change. */
export function createEnviron(request: HttpRequest, concurrency: Concurrency, errors: WsgiErrors): Environ {
  const environ = writeVariables(request, {
    interface: "wsgi",
    software: SOFTWARE,
    variables: mountVariables(request),
  }) as unknown as Environ;
  environ["wsgi.version"] = VERSION;
  environ["wsgi.url_scheme"] = request.scheme;
  environ["wsgi.input"] = new WsgiInput(request.body);
  environ["wsgi.errors"] = errors;
  environ["wsgi.multithread"] = concurrency.multithread;
  environ["wsgi.multiprocess"] = concurrency.multiprocess;
  environ["wsgi.run_once"] = concurrency.runOnce;
  environ["wsgi.input_terminated"] = true;
  environ["wsgi.file_wrapper"] = wrapFile;
  const { exchange } = request;
  if (exchange.inform !== undefined) {
    environ["wsgi.early_hints"] = (headers) => exchange.inform?.(HeaderList.from(headers));
  }
  return environ;
}
