// HTTP/1.x through node:http: its parser reads, its response objects write; rules, order and limits are ours.
import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { GatewayError, HeaderList } from "@gw/core";
import type { PeerFacts } from "./connection.ts";
import { Http1Connection } from "./http1-connection.ts";
import { Http1Exchange } from "./http1-exchange.ts";
import { readHttp1Head, refusedMethod } from "./http1-head.ts";
import { onParserError } from "./http1-parser-error.ts";
import { refusalText, refuse } from "./refusal.ts";
import { applyRules } from "./request-rules.ts";
import type { ServerState } from "./server-state.ts";

/** Takes connections that speak HTTP/1.x. */
export interface Http1Engine {
  accept(socket: Socket, facts: PeerFacts): void;
}

const CONNECTION = Symbol("gw.http.connection");

interface Http1Socket extends Socket {
  [CONNECTION]?: Http1Connection;
}

/** The connection of a socket that `accept` was given. */
export function connectionOf(socket: Duplex): Http1Connection | undefined {
  return (socket as Http1Socket)[CONNECTION];
}

/** Makes the HTTP/1.x side of a server. It listens nowhere itself: sockets come from the binds. */
export function createHttp1(state: ServerState): Http1Engine {
  const server = createServer(nodeOptions(state));
  server.timeout = 0;
  server.maxHeadersCount = state.limits.maxHeaderLines + 1; // one more than allowed, so that too many can be told
  server.on("request", (req: IncomingMessage, res: ServerResponse) => onRequest(req, res, false));
  server.on("checkContinue", (req: IncomingMessage, res: ServerResponse) => onRequest(req, res, true));
  server.on("checkExpectation", (_req: IncomingMessage, res: ServerResponse) => refuse(res, badExpectation()));
  server.on("connect", (req: IncomingMessage, socket: Duplex) => endWith(socket, refusedMethod(req.method as string)));
  server.on("clientError", (error: Error, socket: Duplex) =>
    onParserError(error, socket as Socket, connectionOf(socket)),
  );
  return {
    accept(socket, facts) {
      (socket as Http1Socket)[CONNECTION] = new Http1Connection(state, socket, facts, begin);
      server.emit("connection", socket);
    },
  };
}

function nodeOptions({ limits }: ServerState): ServerOptions & { optimizeEmptyRequests?: boolean } {
  return {
    maxHeaderSize: limits.maxHeaderBytes,
    insecureHTTPParser: false,
    requireHostHeader: false, // checked with the rest of the head, which also counts the fields
    // All times are ours to watch: one timer for all connections instead of one or two for each.
    keepAliveTimeout: 0,
    headersTimeout: 0,
    requestTimeout: 0,
  };
}

function onRequest(req: IncomingMessage, res: ServerResponse, expectsContinue: boolean): void {
  const connection = connectionOf(req.socket);
  if (connection === undefined) return;
  if (connection.isFree) begin(connection, req, res, expectsContinue);
  else connection.wait({ req, res, expectsContinue });
}

function begin(connection: Http1Connection, req: IncomingMessage, res: ServerResponse, expectsContinue: boolean): void {
  const { state } = connection;
  connection.requests++;
  try {
    const { host, length } = readHttp1Head(req, state.limits);
    const wire = { method: req.method as string, target: req.url as string, authority: host, flat: req.rawHeaders };
    const facts = applyRules(wire, connection, state.rules);
    const { maxConcurrentRequests } = state.limits;
    if (maxConcurrentRequests !== 0 && state.generation.running >= maxConcurrentRequests) throw overloaded();
    const exchange = new Http1Exchange(connection, req, res, length, expectsContinue);
    connection.current = exchange;
    exchange.run(facts);
  } catch (error) {
    connection.isLast = true;
    refuse(res, error);
  }
}

function badExpectation(): GatewayError {
  return new GatewayError("GW_HTTP_EXPECTATION", 417, "the only expectation known is 100-continue");
}

/** The refusal of what is one request too many (R-O10). */
export function overloaded(): GatewayError {
  return new GatewayError("GW_HTTP_OVERLOADED", 503, "too many requests at once", { headers: retrySoon });
}

const retrySoon: HeaderList = HeaderList.from({ "Retry-After": "1" });

function endWith(socket: Duplex, error: GatewayError): void {
  socket.on("error", () => {});
  socket.end(refusalText(error), "latin1", () => socket.destroy());
}
