// environ → request: the other direction, for handlers under a WSGI server.
import {
  type Exchange,
  emptyState,
  type HeaderList,
  type HttpRequest,
  incomingBody,
  OpenExchange,
  type RequestBody,
  type Runtime,
  readVariables,
} from "@gw/core";
import type { Environ, WsgiInputStream } from "./types.ts";

/** The exchange of a handler under a WSGI server; can inform if the server can. */
export class WsgiExchange extends OpenExchange {
  declare readonly inform?: (headers: HeaderList) => void;

  constructor(runtime: Runtime, environ: Environ) {
    super(runtime);
    const hint = environ["wsgi.early_hints"];
    if (hint !== undefined) this.inform = (headers) => hint([...headers]);
  }
}

/** What `readEnviron` gives. */
export interface EnvironRequest {
  readonly request: HttpRequest;
  /** The request's exchange, for the one who ends it. */
  readonly exchange: WsgiExchange;
}

/**
 * The request that an environ describes. REMOTE_USER is the WSGI server's word, so it becomes the principal.
 *
 * @throws GatewayError what `readVariables` throws for malformed variables (400)
 */
export function readEnviron(environ: Environ, runtime: Runtime): EnvironRequest {
  const variables = new Map<string, string>();
  for (const [name, value] of Object.entries(environ)) if (typeof value === "string") variables.set(name, value);
  variables.delete("wsgi.url_scheme");
  const { contentLength, ...head } = readVariables(variables, { trustRemoteUser: true });
  const exchange = new WsgiExchange(runtime, environ);
  const request: HttpRequest = {
    ...head,
    scheme: environ["wsgi.url_scheme"],
    // Without a length only a terminated input can be read to its end (PEP 3333: "should not attempt to read more").
    body: bodyOf(environ["wsgi.input"], contentLength ?? (environ["wsgi.input_terminated"] ? null : 0), exchange),
    state: emptyState,
    signal: new AbortController().signal,
    exchange,
  };
  return { request, exchange };
}

function bodyOf(input: WsgiInputStream, length: number | null, exchange: Exchange): RequestBody {
  let left = length ?? Number.POSITIVE_INFINITY;
  const readSync = (maxBytes: number): Uint8Array => {
    const chunk = left === 0 ? new Uint8Array(0) : input.read(Math.min(maxBytes, left));
    left -= chunk.length;
    return chunk;
  };
  return incomingBody({ length, exchange, readSync, open: () => chunksOf(readSync) });
}

async function* chunksOf(read: (maxBytes: number) => Uint8Array): AsyncGenerator<Uint8Array> {
  for (let chunk = read(READ_BYTES); chunk.length > 0; chunk = read(READ_BYTES)) yield chunk;
}

const READ_BYTES = 65_536;
