// HTTP/1.x through node:http: its parser reads, its response objects write; rules, order and limits are ours.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { GatewayError } from "@gw/core";
import { Http1Connection } from "./http1-connection.ts";
import { Http1Exchange } from "./http1-exchange.ts";
import { readHttp1Head, refusedMethod } from "./http1-head.ts";
import { onParserError } from "./http1-parser-error.ts";
import { Http1Upgrade, readUpgrade, responseFor } from "./http1-upgrade.ts";
import { checkLoad } from "./limits.ts";
import { nodeServerOptions } from "./node-server-options.ts";
import type { PeerFacts } from "./peer.ts";
import { refusalText, refuse, report } from "./refusal.ts";
import { applyRules } from "./request-rules.ts";
import type { ServerState } from "./server-state.ts";
import type { WebSocketOpener } from "./websocket-open.ts";

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
export function createHttp1(state: ServerState, opener: WebSocketOpener): Http1Engine {
  const server = createServer(nodeServerOptions(state.limits));
  server.timeout = 0;
  server.maxHeadersCount = state.limits.maxHeaderLines + 1; // one more than allowed, so that too many can be told
  server.on("request", (req: IncomingMessage, res: ServerResponse) => onRequest(req, res, false));
  server.on("checkContinue", (req: IncomingMessage, res: ServerResponse) => onRequest(req, res, true));
  server.on("checkExpectation", (_req: IncomingMessage, res: ServerResponse) => refuse(res, badExpectation()));
  server.on("upgrade", (req: IncomingMessage, socket: Duplex, head: Buffer) =>
    onUpgrade(req, socket as Socket, head, opener),
  );
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
    const { host, length, asksUpgrade } = readHttp1Head(req, state.limits);
    // node:http loses what comes in one packet behind an upgrade that we ignore, so nothing may follow it.
    if (asksUpgrade) connection.takeNoMore();
    const wire = { method: req.method as string, target: req.url as string, authority: host, flat: req.rawHeaders };
    const facts = applyRules(wire, connection, state.rules);
    checkLoad(state, facts.client);
    const exchange = new Http1Exchange(
      { link: connection, generation: state.generation, req, res },
      length,
      expectsContinue,
    );
    state.clients.enter(facts.client, exchange);
    connection.current = exchange;
    exchange.run(facts);
  } catch (error) {
    connection.takeNoMore();
    report(error, state);
    refuse(res, error);
  }
}

function onUpgrade(req: IncomingMessage, socket: Socket, head: Buffer, opener: WebSocketOpener): void {
  const connection = connectionOf(socket);
  // An opening behind a request that is not answered yet: nobody does that, and the order would be lost (R-H9).
  if (connection === undefined || !connection.isFree) {
    socket.destroy();
    return;
  }
  const { state } = connection;
  connection.requests++;
  connection.takeNoMore();
  try {
    const { facts, subprotocols } = readUpgrade(req, connection, state);
    const options = { head, settings: state.webSocket, opener };
    const exchange = new Http1Upgrade({ link: connection, generation: state.generation, req }, options);
    state.clients.enter(facts.client, exchange);
    connection.current = exchange;
    exchange.run(facts, subprotocols);
  } catch (error) {
    const res = responseFor(req, socket);
    res.once("finish", () => connection.closeGently());
    report(error, state);
    refuse(res, error);
  }
}

function badExpectation(): GatewayError {
  return new GatewayError("GW_HTTP_EXPECTATION", 417, "the only expectation known is 100-continue");
}

function endWith(socket: Duplex, error: GatewayError): void {
  socket.on("error", () => {});
  socket.end(refusalText(error), "latin1", () => socket.destroy());
}
