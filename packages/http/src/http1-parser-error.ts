// What node:http's parser refuses: one clean answer, then the connection is closed (R-H1, R-H2, R-H7).
import type { Socket } from "node:net";
import { GatewayError } from "@gw/core";
import type { Http1Connection } from "./http1-connection.ts";
import { headTooLarge, targetTooLong } from "./http1-head.ts";
import { refusalText } from "./refusal.ts";

interface ParserError extends Error {
  readonly code?: string;
  readonly reason?: string;
  readonly rawPacket?: Buffer;
}

/**
 * Deals with a `clientError`.
 *
 * While an answer is under way the error is in that request's body, or in what follows it: then the body fails, the
 * answer goes out, and the connection closes after it. After a last answer nobody listens to what arrives.
 */
export function onParserError(error: ParserError, socket: Socket, connection: Http1Connection | undefined): void {
  const isGone = error.code === "ECONNRESET" || error.code === "HPE_INVALID_EOF_STATE"; // the latter: inside a message
  if (connection === undefined || isGone || !socket.writable) {
    socket.destroy();
    return;
  }
  const refusal = refusalFor(error, connection);
  if (connection.isFree) connection.closeGently(refusalText(refusal));
  else connection.failBody(refusal);
}

function refusalFor(error: ParserError, { state: { limits } }: Http1Connection): GatewayError {
  if (error.code === "HPE_HEADER_OVERFLOW") {
    if (isInRequestLine(error.rawPacket, limits.maxRequestLineBytes)) return targetTooLong(limits);
    return headTooLarge(limits);
  }
  const reason = error.reason ?? error.message;
  return new GatewayError(
    "GW_HTTP_SYNTAX",
    error.code === "HPE_CHUNK_EXTENSIONS_OVERFLOW" ? 413 : 400,
    `not HTTP: ${reason}`,
  );
}

/** The parser does not say which part was too long, but the packet shows a request line that does not end. */
function isInRequestLine(packet: Buffer | undefined, maxBytes: number): boolean {
  if (packet === undefined || !/^[A-Z]+ [^ ]/.test(packet.toString("latin1", 0, 40))) return false;
  const end = packet.indexOf(LINE_FEED);
  return end === -1 || end > maxBytes;
}

const LINE_FEED = 10;
