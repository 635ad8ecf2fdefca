// A (req, res) function, an Express app for example, as a handler: behind any carrier, under any layers.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { GatewayError, type GatewayRequest, type Handler, type HttpRequest, type HttpResponse } from "@gw/core";
import { MemorySocket } from "./memory-socket.ts";
import { NodeCall } from "./node-call.ts";

/** What frameworks of node:http are: called with the request, the response, and what to do if it is not theirs. */
export type NodeFunction = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => unknown;

/**
 * Makes a handler of a (req, res) function.
 *
 * The function talks to a real node:http server that reads from a socket in memory, so whatever it does to its objects
 * works as it does there. `req.url` is the path under the mount, `req.originalUrl` and `req.baseUrl` are set as Express
 * sets them, `requestOf(req)` gives the request with its user. `next()` answers 404, `next(error)` throws. A WebSocket
 * opening is refused with 501: give its path to another app.
 */
export function fromNodeHandler(fn: NodeFunction): Handler {
  const server = createInnerServer(fn);
  const connect = (socket: MemorySocket, call: NodeCall): void => {
    calls.set(socket, call);
    server.emit("connection", socket);
  };
  return (request: GatewayRequest): Promise<HttpResponse> => {
    if (request.kind === "websocket")
      throw new GatewayError("GW_HTTP_NO_SOCKETS", 501, "a node handler takes no WebSockets");
    const call = new NodeCall(request);
    call.start(connect);
    return call.answer;
  };
}

/** The request behind a node:http message that `fromNodeHandler` made; `null` for any other. */
export function requestOf(req: IncomingMessage): HttpRequest | null {
  const socket: unknown = req.socket;
  return socket instanceof MemorySocket ? socket.request : null;
}

const calls = new WeakMap<object, NodeCall>();

function createInnerServer(fn: NodeFunction): Server {
  const server = createServer({
    // The carrier has checked the request and watches its times.
    maxHeaderSize: 1_048_576,
    requireHostHeader: false,
    keepAliveTimeout: 0,
    headersTimeout: 0,
    requestTimeout: 0,
  });
  server.on("request", (req: IncomingMessage, res: ServerResponse) => {
    const call = calls.get(req.socket);
    if (call === undefined) return;
    call.describe(req, res);
    const next = (error?: unknown): void => call.fail(error ?? notHandled(req));
    try {
      const result = fn(req, res, next);
      if (result instanceof Promise) result.catch((error: unknown) => call.fail(error));
    } catch (error) {
      call.fail(error);
    }
  });
  server.on("clientError", (error, socket) => calls.get(socket)?.fail(error));
  return server;
}

function notHandled({ method }: IncomingMessage): GatewayError {
  return new GatewayError("GW_HTTP_NOT_HANDLED", 404, `the node handler does not answer this ${method}`);
}
