// HTTP/2 through node:http2's `stream` event: nghttp2 holds the frames to RFC 9113; limits, rules and answers are ours.
import {
  constants,
  createServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from "node:http2";
import type { Socket } from "node:net";
import { Http2Connection } from "./http2-connection.ts";
import { Http2Exchange } from "./http2-exchange.ts";
import { readHttp2Head } from "./http2-head.ts";
import type { Http2Sender } from "./http2-sender.ts";
import { Http2Upgrade } from "./http2-upgrade.ts";
import { checkLoad } from "./limits.ts";
import type { PeerFacts } from "./peer.ts";
import { refusalOf, report } from "./refusal.ts";
import { applyRules, type RequestFacts } from "./request-rules.ts";
import type { ServerState } from "./server-state.ts";
import { type Handshake, readTunnelHandshake } from "./websocket-handshake.ts";
import type { WebSocketOpener } from "./websocket-open.ts";
import { checkOrigin } from "./websocket-request.ts";

/** Takes connections that speak HTTP/2. */
export interface Http2Engine {
  accept(socket: Socket, facts: PeerFacts): void;
}

/** What one stream may have under way, bytes: enough for a fast upload over a long line. */
const STREAM_WINDOW_BYTES = 524_288;
/** What all streams of a connection may have under way together. */
const CONNECTION_WINDOW_BYTES = 1_048_576;

const CONNECTION = Symbol("gw.http2.connection");
const EXCHANGE = Symbol("gw.http2.exchange");

interface Http2Session extends ServerHttp2Session {
  [CONNECTION]?: Http2Connection;
}

interface Http2Stream extends ServerHttp2Stream {
  [CONNECTION]?: Http2Connection;
  [EXCHANGE]?: Http2Sender;
}

/** Makes the HTTP/2 side of a server. It listens nowhere itself: sockets come from the binds. */
export function createHttp2(state: ServerState, opener: WebSocketOpener): Http2Engine {
  const server = createServer(nodeOptions(state));
  let accepting: { readonly socket: Socket; readonly facts: PeerFacts } | null = null;
  server.on("session", (session: Http2Session) => {
    if (accepting === null) return session.destroy();
    session[CONNECTION] = new Http2Connection(state, accepting.socket, accepting.facts, session);
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
  });
  server.on("stream", (stream: Http2Stream, _headers, flags: number, raw: string[]) =>
    onStream(stream, flags, raw, opener),
  );
  server.on("sessionError", () => {});
  return {
    accept(socket, facts) {
      // In HTTP/2 a client that has ended its side is gone: streams end in frames (RFC 9113 §5.1), not with the socket.
      socket.allowHalfOpen = false;
      accepting = { socket, facts };
      server.emit("connection", socket); // makes the session before it returns
      accepting = null;
    },
  };
}

function nodeOptions({ limits }: ServerState): ServerOptions {
  return {
    maxSessionMemory: limits.maxSessionMegabytes,
    maxHeaderListPairs: limits.maxHeaderLines + PSEUDO_FIELDS + 1, // one more than allowed, so that too many can be told
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: 100,
    maxSendHeaderBlockLength: 1_048_576,
    settings: {
      maxConcurrentStreams: limits.maxStreams,
      maxHeaderListSize: limits.maxHeaderBytes,
      initialWindowSize: STREAM_WINDOW_BYTES,
      enableConnectProtocol: true,
    },
  };
}

/** `:method`, `:scheme`, `:path`, `:authority`, `:protocol`. */
const PSEUDO_FIELDS = 5;

function onStream(stream: Http2Stream, flags: number, raw: readonly string[], opener: WebSocketOpener): void {
  const connection = (stream.session as Http2Session | undefined)?.[CONNECTION];
  stream.on("error", ignore); // "close" says all we need
  if (connection === undefined) return stream.close(constants.NGHTTP2_REFUSED_STREAM);
  connection.requests++;
  stream[CONNECTION] = connection;
  stream.on("close", onClose);
  const { state } = connection;
  try {
    const head = readHttp2Head(raw, state.limits);
    const facts = applyRules(head, connection, state.rules);
    const isSocket = head.protocol !== null;
    const { subprotocols } = isSocket ? openTunnel(facts, state) : NO_SUBPROTOCOLS;
    checkLoad(state, facts.client);
    const exchange = isSocket ? new Http2Upgrade(connection, stream) : new Http2Exchange(connection, stream);
    state.clients.enter(facts.client, exchange);
    stream[EXCHANGE] = exchange;
    connection.exchanges.add(exchange);
    if (exchange instanceof Http2Upgrade) exchange.run(facts, subprotocols, opener);
    else exchange.run(head, facts, (flags & constants.NGHTTP2_FLAG_END_STREAM) === 0);
  } catch (error) {
    report(error, state);
    refuseStream(stream, error);
  }
}

const NO_SUBPROTOCOLS: Handshake = { subprotocols: [] };

function openTunnel(facts: RequestFacts, { webSocket }: ServerState): Handshake {
  const handshake = readTunnelHandshake(facts.headers);
  checkOrigin(facts, webSocket);
  return handshake;
}

function onClose(this: Http2Stream): void {
  const { [CONNECTION]: connection, [EXCHANGE]: exchange } = this;
  if (exchange !== undefined) {
    connection?.exchanges.delete(exchange);
    exchange.onClose();
  }
  // A stream that the peer has reset cost us a request and the peer nothing (CVE-2023-44487).
  if (this.rstCode !== constants.NGHTTP2_NO_ERROR) connection?.countControlFrame();
}

function ignore(): void {}

/** Answers what is no request that we serve; the connection lives on. */
function refuseStream(stream: ServerHttp2Stream, error: unknown): void {
  if (stream.closed || stream.destroyed) return;
  const { status, fields, body } = refusalOf(error);
  const headers: Record<string, string | number> = { ":status": status };
  for (let at = 0; at < fields.length; at += 2)
    headers[(fields[at] as string).toLowerCase()] = fields[at + 1] as string;
  stream.respond(headers);
  stream.end(Buffer.from(body, "latin1"));
}
