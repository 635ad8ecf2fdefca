// What node:http is told: strict parsing, no timers of its own, and which requests are upgrades.
import { createServer, IncomingMessage, type ServerOptions } from "node:http";
import type { HttpLimits } from "./limits.ts";
import { isWebSocketUpgrade } from "./websocket-handshake.ts";

/** Options for `http.createServer`. */
export function nodeServerOptions(limits: HttpLimits): ServerOptions {
  return {
    maxHeaderSize: limits.maxHeaderBytes,
    insecureHTTPParser: false,
    requireHostHeader: false, // checked with the rest of the head, which also counts the fields
    // All times are ours to watch: one timer for all connections instead of one or two for each.
    keepAliveTimeout: 0,
    headersTimeout: 0,
    requestTimeout: 0,
    // Requests without a body go through no stream life cycle: a tenth of node:http's own cost. Node before 24.9 ignores it.
    optimizeEmptyRequests: true,
    ...upgradeOptions(),
  };
}

/**
 * Only WebSocket openings are upgrades. A request that names anything else (`h2c`) is an ordinary one (RFC 9110 §7.8);
 * with an `upgrade` listener, node:http would not read its body.
 */
function upgradeOptions(): ServerOptions {
  const isUpgrade = (req: IncomingMessage): boolean => isWebSocketUpgrade(req.method as string, req.headers.upgrade);
  if ("shouldUpgradeCallback" in createServer()) return { shouldUpgradeCallback: isUpgrade } as ServerOptions;
  return { IncomingMessage: carefulMessage(isUpgrade) };
}

const UPGRADE = Symbol("gw.http.upgrade");

/** Node before 22.21 and 24.9 has no such option, but asks the message. */
function carefulMessage(isUpgrade: (req: IncomingMessage) => boolean): typeof IncomingMessage {
  return class extends IncomingMessage {
    [UPGRADE]?: boolean;

    get upgrade(): boolean {
      return this[UPGRADE] === true && (this.method === "CONNECT" || isUpgrade(this));
    }

    set upgrade(value: boolean) {
      this[UPGRADE] = value;
    }
  };
}
