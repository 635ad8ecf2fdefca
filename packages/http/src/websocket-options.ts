// Settings of WebSockets.

/** Settings of WebSocket connections (RFC 6455). */
export interface WebSocketOptions {
  /**
   * Origins that may open sockets, such as `"https://app.example.com"`; `"*"`: any. Browsers send cookies with every
   * opening, so an open list lets any page act as the user. @default the request's own host (R-H14)
   */
  allowedOrigins?: readonly string[];
  /** Largest message, bytes over all fragments and after inflation; larger: 1009 (R-H15). @default 1_000_000 */
  maxMessageBytes?: number;
  /** Messages received but not yet read by the app, bytes, before the client has to wait. @default 1_000_000 */
  maxUnreadBytes?: number;
  /** Sent bytes the client has not taken, beyond which `send` waits. @default 65_536 */
  sendBufferBytes?: number;
  /** Sent bytes the client has not taken, beyond which it is cut off, for apps that do not wait. @default 16_000_000 */
  maxUnsentBytes?: number;
  /** Time between pings; a client that has not answered one by the next is cut off. 0: none. @default 30_000 */
  pingIntervalMs?: number;
  /** Time without a message in either direction before the socket is closed with 1000; 0: no limit. @default 0 */
  idleTimeoutMs?: number;
  /** Time for the closing handshake before the connection is cut. @default 5_000 */
  closeTimeoutMs?: number;
  /** Whether permessage-deflate is offered; costs about 300 kB of memory per socket. @default false (R-H15) */
  compression?: boolean;
}
