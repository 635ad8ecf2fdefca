// The client's opening handshake of a WebSocket (RFC 6455 §4.2.1; RFC 8441 for HTTP/2; R-H13).
import { GatewayError, HeaderList, isToken } from "@gw/core";

/** What an opening asks for. */
export interface Handshake {
  /** Subprotocols offered, in the client's order. */
  readonly subprotocols: readonly string[];
}

/** Whether a request asks to become a WebSocket. Others that name protocols to upgrade to are ordinary requests. */
export function isWebSocketUpgrade(method: string, upgrade: string | undefined): boolean {
  return method === "GET" && upgrade !== undefined && upgrade.toLowerCase() === "websocket";
}

/**
 * Checks an HTTP/1.1 opening.
 *
 * @throws GatewayError `GW_WEBSOCKET_VERSION` (426), `GW_WEBSOCKET_HANDSHAKE` (400)
 */
export function readHandshake(headers: HeaderList, bodyLength: number | null): Handshake {
  if (bodyLength !== 0) throw bad("an opening has no body");
  if (!hasToken(headers.get("connection"), "upgrade")) throw bad("Connection must name Upgrade");
  const key = headers.getAll("sec-websocket-key");
  if (key.length !== 1 || !KEY.test(key[0] as string)) throw bad("Sec-WebSocket-Key must be 16 bytes in base64, once");
  return readTunnelHandshake(headers);
}

/** Checks what openings of HTTP/1.1 and HTTP/2 have in common. @throws like `readHandshake` */
export function readTunnelHandshake(headers: HeaderList): Handshake {
  const version = headers.get("sec-websocket-version");
  if (version !== "13") {
    throw new GatewayError(
      "GW_WEBSOCKET_VERSION",
      426,
      `expected WebSocket version 13, found ${JSON.stringify(version?.slice(0, 80) ?? null)}`,
      {
        headers: versionFields,
      },
    );
  }
  if (headers.getAll("origin").length > 1) throw bad("more than one Origin");
  return { subprotocols: readSubprotocols(headers.get("sec-websocket-protocol")) };
}

const KEY = /^[+/0-9A-Za-z]{21}[AQgw]==$/;
const versionFields = HeaderList.from({ "Sec-WebSocket-Version": "13" });

const ASCII = /^[\t\u0020-\u007e]*$/;

function readSubprotocols(value: string | null): readonly string[] {
  if (value === null) return [];
  // trim() takes more than blanks, but nothing else of it is ASCII here; a pattern would be slow on a long run of blanks.
  const names = value.split(",").map((name) => name.trim());
  if (!ASCII.test(value) || !names.every(isToken)) throw bad("Sec-WebSocket-Protocol must be a list of tokens");
  if (new Set(names).size !== names.length) throw bad("Sec-WebSocket-Protocol names a subprotocol twice");
  return names;
}

function hasToken(value: string | null, token: string): boolean {
  return value?.split(",").some((one) => one.trim().toLowerCase() === token) ?? false;
}

function bad(message: string): GatewayError {
  return new GatewayError("GW_WEBSOCKET_HANDSHAKE", 400, `WebSocket opening: ${message}`);
}
