// What node:http's parser refuses: one clean answer, then the connection is closed (R-H1, R-H2, R-H7).
import type { Socket } from "node:net";
import { GatewayError } from "@gw/core";
import type { Http1Connection } from "./http1-connection.ts";
import { targetTooLong } from "./http1-head.ts";
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
 * answer goes out, and the connection closes after it.
 */
export function onParserError(error: ParserError, socket: Socket, connection: Http1Connection | undefined): void {
  if (connection === undefined || error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const refusal = refusalFor(error, connection);
  if (connection.current === null) connection.closeGently(refusalText(refusal));
  else connection.failBody(refusal);
}

function refusalFor(error: ParserError, { state: { limits } }: Http1Connection): GatewayError {
  if (error.code === "HPE_HEADER_OVERFLOW") {
    // The parser does not say which part was too long. A packet without a line end is still inside the request line.
    if (error.rawPacket?.includes(LINE_FEED) === false) return targetTooLong(limits);
    return new GatewayError("GW_HTTP_HEADERS_LARGE", 431, `the head is larger than ${limits.maxHeaderBytes} bytes`);
  }
  const reason = error.reason ?? error.message;
  return new GatewayError(
    "GW_HTTP_SYNTAX",
    error.code === "HPE_CHUNK_EXTENSIONS_OVERFLOW" ? 413 : 400,
    `not HTTP: ${reason}`,
  );
}

const LINE_FEED = 10;
