// The listening sockets: each takes connections and hands them to the HTTP version they speak.
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import type { PeerList } from "@gw/core";
import { parsePreface, readFirstBytes } from "./first-bytes.ts";
import { type PeerFacts, socketFacts } from "./peer.ts";
import { type ProxyHeader, parseProxyHeader } from "./proxy-protocol.ts";
import type { ServerState } from "./server-state.ts";
import type { Certificates } from "./tls.ts";

/** Takes a connection. */
export type Accept = (socket: Socket, facts: PeerFacts) => void;

/** How connections begin on the binds of a server. */
export interface BindOptions {
  readonly state: ServerState;
  /** `null`: no TLS. */
  readonly certificates: Certificates | null;
  /** HTTP versions served over TLS (chosen by ALPN), or without it (told apart by the preface of HTTP/2). */
  readonly versions: readonly (1 | 2)[];
  /** Peers that send a PROXY header. */
  readonly proxies: PeerList | null;
  readonly http1: Accept;
  readonly http2: Accept;
}

/** Makes the server of one bind; it does not listen yet. */
export function createBind(options: BindOptions): Server {
  const server = createFront(options);
  server.on("error", (error) => {
    // While it listens this is a connection that could not be accepted, for want of descriptors (R-O9): others can.
    if (server.listening) options.state.log.error({ err: error }, "a connection could not be accepted");
  });
  return server;
}

function createFront(options: BindOptions): Server {
  const { state, certificates, proxies } = options;
  const secure = certificates === null ? null : createSecureServer(options, certificates);
  const begin = (socket: Socket, facts: PeerFacts): void => {
    if (secure === null) beginPlain(socket, facts, options);
    else secure.emit("connection", remember(socket, facts));
  };
  if (secure !== null && proxies === null) return secure;
  return createServer({ ...SOCKET_OPTIONS, pauseOnConnect: false }, (socket) => {
    if (!admit(socket, state)) return;
    const facts = socketFacts(socket);
    if (proxies?.includes(facts.client) !== true) {
      if (admitClient(socket, facts, state)) begin(socket, facts);
      return;
    }
    readFirstBytes(socket, {
      parse: parseProxy,
      timeoutMs: state.limits.handshakeTimeoutMs,
      onRead: (header) => {
        const told = { ...facts, ...toFacts(header, facts) };
        if (admitClient(socket, told, state)) begin(socket, told);
      },
      onError: (error) => state.log.warn({ err: error, peer: facts.client }, "a PROXY header was refused"),
    });
  });
}

// Half-open: HTTP decides what the end of the client's side means, not the socket.
const SOCKET_OPTIONS = { allowHalfOpen: true, noDelay: true } as const;

function beginPlain(socket: Socket, facts: PeerFacts, { state, versions, http1, http2 }: BindOptions): void {
  if (versions.length === 1) return versions[0] === 2 ? http2(socket, facts) : http1(socket, facts);
  readFirstBytes(socket, {
    parse: parsePreface,
    timeoutMs: state.limits.handshakeTimeoutMs,
    onRead: (version) => (version === 2 ? http2(socket, facts) : http1(socket, facts)),
    onError: () => {},
  });
}

function createSecureServer({ state, versions, http1, http2 }: BindOptions, certificates: Certificates): Server {
  const server = createTlsServer({
    ...certificates.options,
    ...SOCKET_OPTIONS,
    ALPNProtocols: versions.includes(2) ? (versions.includes(1) ? ["h2", "http/1.1"] : ["h2"]) : ["http/1.1"],
    handshakeTimeout: state.limits.handshakeTimeoutMs,
  });
  certificates.attach(server);
  server.on("connection", (socket: Socket) => {
    if (state.sockets.has(socket)) return; // it has come through the front
    if (admit(socket, state)) admitClient(socket, socketFacts(socket), state);
  });
  server.on("secureConnection", (socket: TLSSocket) => {
    const facts = { ...socketFacts(socket), ...remembered(socket) };
    if (socket.alpnProtocol === "h2") http2(socket, facts);
    else if (versions.includes(1)) http1(socket, facts);
    else socket.destroy();
  });
  server.on("tlsClientError", (error, socket) => {
    state.log.debug({ err: error }, "a TLS handshake failed");
    socket.destroy();
  });
  return server;
}

/** Keeps a socket in mind until it closes, or closes it if there are too many. */
function admit(socket: Socket, { limits, sockets }: ServerState): boolean {
  if (limits.maxConnections !== 0 && sockets.size >= limits.maxConnections) {
    socket.destroy();
    return false;
  }
  sockets.add(socket);
  socket.once("close", () => sockets.delete(socket));
  return true;
}

/** Counts a connection as its client's, or closes it if that client has too many. */
function admitClient(socket: Socket, { client }: PeerFacts, { clients, rules, log }: ServerState): boolean {
  if (clients.admit(client, socket, rules.trust.proxies)) return true;
  log.debug({ peer: client }, "a connection was closed: this client has too many");
  socket.destroy();
  return false;
}

const FACTS = Symbol("gw.http.facts");

/** What a PROXY header said stays with the socket under the TLS socket. */
function remember(socket: Socket, { client, local }: PeerFacts): Socket {
  return Object.assign(socket, { [FACTS]: { client, local } });
}

function remembered(socket: TLSSocket): Partial<PeerFacts> {
  // Node has no public way from a TLS socket to the socket below.
  const { _parent: below } = socket as TLSSocket & { _parent?: Socket & { [FACTS]?: Partial<PeerFacts> } };
  return below?.[FACTS] ?? {};
}

function parseProxy(bytes: Buffer): { lengthBytes: number; value: ProxyHeader } | null {
  const header = parseProxyHeader(bytes);
  return header === null ? null : { lengthBytes: header.lengthBytes, value: header };
}

function toFacts({ client, local, tls }: ProxyHeader, facts: PeerFacts): PeerFacts {
  return { client: client ?? facts.client, local: local ?? facts.local, tls: tls ?? facts.tls };
}
