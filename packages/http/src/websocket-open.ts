// From an accepted opening to an open socket: `ws` writes the 101 and speaks the frames.
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { checkResponseHead, GatewayError, type WebSocketAccept } from "@gw/core";
import { type WebSocket, WebSocketServer } from "ws";
import type { WebSocketSettings } from "./websocket-settings.ts";

/** Opens WebSockets on connections whose opening was checked. */
export interface WebSocketOpener {
  /** Writes the answer to the opening; `null` if the client is gone. */
  open(opening: OpeningParts, accept: WebSocketAccept): WebSocket | null;
}

/** The opening as node:http's `upgrade` event gives it. */
export interface OpeningParts {
  readonly req: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** A message may come in fragments of this size; smaller ones cost more memory than they hold. */
const SMALL_FRAGMENT_BYTES = 64;
/** So many fragments any message may have. */
const MIN_FRAGMENTS = 16_384;

/** Most fragments of a message that may have so many bytes. */
export function maxFragments(maxMessageBytes: number): number {
  return Math.max(MIN_FRAGMENTS, Math.ceil(maxMessageBytes / SMALL_FRAGMENT_BYTES));
}

/** Makes the opener of a server. */
export function createOpener(settings: WebSocketSettings): WebSocketOpener {
  const accepts = new WeakMap<IncomingMessage, WebSocketAccept>();
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: settings.maxMessageBytes,
    ...{ maxFragments: maxFragments(settings.maxMessageBytes) }, // like closeTimeout
    perMessageDeflate: settings.compression ? { threshold: 1_024, concurrencyLimit: 4 } : false,
    handleProtocols: (_offered, req) => accepts.get(req)?.subprotocol ?? false,
    ...{ closeTimeout: settings.closeTimeoutMs }, // newer than the types of ws
  });
  server.on("headers", (lines, req) => {
    for (const [name, value] of accepts.get(req)?.headers ?? []) lines.push(`${name}: ${value}`);
  });
  return {
    open({ req, socket, head }, accept) {
      let opened: WebSocket | null = null;
      accepts.set(req, accept);
      server.handleUpgrade(req, socket, head, (webSocket) => {
        opened = webSocket;
      });
      return opened;
    },
  };
}

/**
 * Checks what an app accepts an opening with.
 *
 * @throws GatewayError `GW_WEBSOCKET_SUBPROTOCOL`, `GW_WEBSOCKET_FIELD`, `GW_RESPONSE_HEAD` (500)
 */
export function checkAccept({ subprotocol, headers }: WebSocketAccept, offered: readonly string[]): void {
  if (subprotocol !== null && !offered.includes(subprotocol)) {
    throw new GatewayError(
      "GW_WEBSOCKET_SUBPROTOCOL",
      500,
      `the app chose the subprotocol ${JSON.stringify(subprotocol)}, the client offers ${JSON.stringify(offered)}`,
    );
  }
  checkResponseHead({ kind: "response", status: 200, headers, body: null });
  for (const [name] of headers) {
    if (/^(?:sec-websocket-.*|content-length)$/i.test(name)) {
      throw new GatewayError("GW_WEBSOCKET_FIELD", 500, `${name} is written by the handshake, not by the app`);
    }
  }
}
