// WebSocket settings with their defaults.
import { GatewayError } from "@gw/core";
import type { WebSocketOptions } from "./websocket-options.ts";
import { type AllowedOrigin, originTest } from "./websocket-origin.ts";

/** What sockets of a server go by. */
export interface WebSocketSettings
  extends Required<
    Pick<WebSocketOptions, "maxMessageBytes" | "maxUnreadBytes" | "sendBufferBytes" | "maxUnsentBytes">
  > {
  readonly pingIntervalMs: number;
  readonly idleTimeoutMs: number;
  readonly closeTimeoutMs: number;
  readonly compression: boolean;
  /** Whether an Origin may open sockets. */
  readonly isAllowedOrigin: AllowedOrigin;
}

/** The settings with defaults filled in. @throws GatewayError `GW_HTTP_OPTION` */
export function resolveWebSocket(options: WebSocketOptions = {}): WebSocketSettings {
  const {
    allowedOrigins,
    maxMessageBytes = 1_000_000,
    maxUnreadBytes = 1_000_000,
    sendBufferBytes = 65_536,
    maxUnsentBytes = 16_000_000,
    pingIntervalMs = 30_000,
    idleTimeoutMs = 0,
    closeTimeoutMs = 5_000,
    compression = false,
  } = options;
  const counts = {
    maxMessageBytes,
    maxUnreadBytes,
    sendBufferBytes,
    maxUnsentBytes,
    pingIntervalMs,
    idleTimeoutMs,
    closeTimeoutMs,
  };
  for (const [name, value] of Object.entries(counts)) {
    if (!(value >= 0))
      throw new GatewayError(
        "GW_HTTP_OPTION",
        500,
        `webSocket.${name}: expected a number from 0 on, found ${String(value)}`,
      );
  }
  return { ...counts, compression, isAllowedOrigin: originTest(allowedOrigins) };
}
