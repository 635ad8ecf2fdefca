// The listening sockets: each takes connections and hands them to the HTTP version they speak.
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { type PeerFacts, socketFacts } from "./connection.ts";
import type { ServerState } from "./server-state.ts";
import type { Certificates } from "./tls.ts";

/** Takes a connection whose first bytes have not been read. */
export type Accept = (socket: Socket, facts: PeerFacts) => void;

/** What a bind needs to know. */
export interface BindOptions {
  readonly state: ServerState;
  /** `null`: no TLS. */
  readonly certificates: Certificates | null;
  /** Protocols offered by ALPN, in our order of preference. */
  readonly protocols: readonly string[];
  readonly accept: Accept;
}

/** Makes the server of one bind; it does not listen yet. */
export function createBind({ state, certificates, protocols, accept }: BindOptions): Server {
  // Half-open: HTTP decides what the end of the client's side means, not the socket.
  const common = { allowHalfOpen: true, noDelay: true } as const;
  if (certificates === null) {
    return createServer(common, (socket) => {
      if (isFull(state)) socket.destroy();
      else accept(socket, socketFacts(socket));
    });
  }
  const server = createTlsServer({
    ...certificates.options,
    ...common,
    ALPNProtocols: [...protocols],
    handshakeTimeout: state.limits.handshakeTimeoutMs,
  });
  server.on("secureConnection", (socket: TLSSocket) => {
    if (isFull(state)) socket.destroy();
    else accept(socket, socketFacts(socket));
  });
  server.on("tlsClientError", (error) => state.log.debug({ err: error }, "a TLS handshake failed"));
  return server;
}

function isFull({ limits, connections }: ServerState): boolean {
  return limits.maxConnections !== 0 && connections.size >= limits.maxConnections;
}
