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

/** What an environ has beside what the request tells. */
export interface EnvironAdditions {
  /** Variables of the mounts. @default those of the request */
  readonly variables?: Readonly<Record<string, string>>;
  /** Keys with a dot in their name. */
  readonly keys?: Readonly<Record<string, unknown>>;
}

const VERSION: readonly [1, 0] = Object.freeze([1, 0] as const);
const SOFTWARE = `gw/${__GW_VERSION__}`;

/** Makes the environ: a plain object of its own for each request, which the app may change. */
export function createEnviron(
  request: HttpRequest,
  concurrency: Concurrency,
  errors: WsgiErrors,
  { variables = mountVariables(request), keys }: EnvironAdditions = {},
): Environ {
  const { exchange } = request;
  // All constant names at once, before any header: then every environ begins with the same layout, whatever a client
  // sends, and none of these lines has to add a property. Core has the first names, too, and a test compares them: spreading
  // an object of core's instead takes more than twice as long.
  const environ = {
    SERVER_SOFTWARE: "",
    SERVER_NAME: "",
    SERVER_PORT: "",
    SERVER_PROTOCOL: "",
    REQUEST_METHOD: "",
    REQUEST_SCHEME: "",
    REQUEST_URI: "",
    SCRIPT_NAME: "",
    PATH_INFO: "",
    QUERY_STRING: "",
    REMOTE_ADDR: "",
    "wsgi.version": VERSION,
    "wsgi.url_scheme": request.scheme,
    "wsgi.input": new WsgiInput(request.body),
    "wsgi.errors": errors,
    "wsgi.multithread": concurrency.multithread,
    "wsgi.multiprocess": concurrency.multiprocess,
    "wsgi.run_once": concurrency.runOnce,
    "wsgi.input_terminated": true,
    "wsgi.file_wrapper": wrapFile,
  } satisfies Environ as Environ;
  if (exchange.inform !== undefined) {
    environ["wsgi.early_hints"] = (headers) => exchange.inform?.(HeaderList.from(headers));
  }
  if (keys !== undefined) Object.assign(environ, keys);
  const options = { interface: "wsgi", software: SOFTWARE, variables } as const;
  writeVariables(request, options, environ as object as Record<string, string>);
  return environ;
}
