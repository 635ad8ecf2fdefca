// pythonAsgi: an ASGI application written in Python, run in worker processes.
import {
  type Address,
  type App,
  encodePath,
  type Handler,
  type HttpRequest,
  mountVariables,
  type RequestHead,
  rawPath,
  type TlsInfo,
  toText,
  type WebSocketRequest,
} from "@gw/core";
import {
  type MarshalValue,
  type MarshalWriter,
  type PythonOptions,
  PythonWorkers,
  type RequestEncoder,
} from "@gw/python";
import { tlsExtension } from "./tls.ts";
import { withUserHeader } from "./user-header.ts";

/** Inputs of `pythonAsgi`. */
export interface PythonAsgiOptions extends Omit<PythonOptions, "threads" | "engine" | "packages"> {
  /**
   * Field that carries the user, for apps that know REMOTE_USER only: `"X-Remote-User"` is Django's
   * `HTTP_X_REMOTE_USER`. From clients it never arrives, in any spelling. @default none: `gw.principal` in the scope
   */
  userHeader?: string;
}

/**
 * A Python ASGI application as an app: `pythonAsgi("module:app")` or `pythonAsgi("module:create_app()")`.
 *
 * Requests, WebSockets and the app's lifespan, on one event loop in each
 * worker process (uvloop where it is installed). While no worker can serve,
 * it answers 503 and the rest of the gateway lives.
 *
 * @throws GatewayError `GW_PYTHON_OPTION`
 */
export function pythonAsgi(app: string, options: PythonAsgiOptions = {}): App {
  const { userHeader, ...rest } = options;
  const workers = new PythonWorkers(app, "asgi", rest);
  const handle: Handler = (request) =>
    request.kind === "http" ? workers.request(request, httpEncoder) : workers.socket(request, socketEncoder);
  return {
    handle: userHeader === undefined ? handle : withUserHeader(userHeader, handle),
    start: (context) => workers.start(context),
    stop: (deadline) => workers.stop(deadline),
    reload: () => workers.reload(),
    describe: () => workers.describe(),
    status: () => workers.status(),
  };
}

const httpEncoder: RequestEncoder<HttpRequest> = {
  size: 15,
  write(marshal, request, body, hasMore) {
    marshal.text(httpVersion(request.protocol));
    marshal.text(request.method.toUpperCase());
    marshal.text(request.scheme);
    writePlace(marshal, request);
    writeFacts(marshal, request, request.exchange.inform === undefined ? HTTP : HTTP_WITH_HINTS);
    marshal.bytes(body);
    marshal.boolean(hasMore);
  },
};

const socketEncoder: RequestEncoder<WebSocketRequest> = {
  size: 13,
  write(marshal, request) {
    marshal.text(httpVersion(request.protocol));
    marshal.text(request.scheme === "https" ? "wss" : "ws");
    writePlace(marshal, request);
    writeFacts(marshal, request, SOCKET);
    marshal.list(request.subprotocols.length);
    for (const one of request.subprotocols) marshal.text(one);
  },
};

type Facts = Readonly<Record<string, MarshalValue>>;

const HTTP: Facts = {
  "http.response.trailers": {},
  "http.response.pathsend": {},
  "http.response.zerocopysend": {},
};
const HTTP_WITH_HINTS: Facts = { ...HTTP, "http.response.early_hint": {} };
const SOCKET: Facts = { "websocket.http.response": {} };

/** path, raw_path, query_string, root_path, headers, client, server */
function writePlace(marshal: MarshalWriter, request: RequestHead): void {
  const { mount, path, query, headers } = request;
  marshal.text(toText(mount + path));
  marshal.byteString(rawFullPath(request));
  marshal.byteString(query);
  marshal.text(mount === "" ? "" : toText(mount));
  const flat = headers.toFlat();
  marshal.list(flat.length / 2);
  for (let at = 0; at < flat.length; at += 2) {
    marshal.tuple(2);
    marshal.lowerName(flat[at] as string);
    marshal.byteString(flat[at + 1] as string);
  }
  writeAddress(marshal, request.client, false);
  writeAddress(marshal, request.server, true);
}

/** extensions: what the server offers, and what it knows of the user and the mount. */
function writeFacts(marshal: MarshalWriter, request: RequestHead, offered: Facts): void {
  const { principal, tls } = request;
  const variables = mountVariables(request);
  let facts = offered;
  if (tls !== null) facts = { ...facts, tls: tlsFacts(tls) };
  if (principal !== null) facts = { ...facts, "gw.principal": { ...principal } as unknown as MarshalValue };
  for (const _ in variables) {
    const texts = Object.entries(variables).map(([name, value]) => [name, toText(value)] as const);
    facts = { ...facts, "gw.variables": Object.fromEntries(texts) };
    break;
  }
  marshal.value(facts);
}

/** The TLS extension, with the chain as a list. */
function tlsFacts(tls: TlsInfo): MarshalValue {
  const extension = tlsExtension(tls);
  return { ...extension, client_cert_chain: [...extension.client_cert_chain] };
}

function writeAddress(marshal: MarshalWriter, address: Address | null, isServer: boolean): void {
  if (address === null || (!("host" in address) && !isServer)) return marshal.none();
  marshal.tuple(2);
  if ("host" in address) {
    marshal.text(address.host);
    marshal.int(address.port);
  } else {
    marshal.text(address.path);
    marshal.none();
  }
}

/** The path as received, as long as no layer has rewritten it; then it is the new one, percent-encoded. */
function rawFullPath(request: RequestHead): string {
  if (request.mount === "" && request.target === request.path) return request.path;
  return request.mount === "" ? rawPath(request) : encodePath(request.mount) + rawPath(request);
}

function httpVersion(protocol: string): string {
  if (protocol.startsWith("HTTP/2")) return "2";
  return protocol === "HTTP/1.0" ? "1.0" : "1.1";
}
