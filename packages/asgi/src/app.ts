// The shape of an ASGI application.
import type { ReceiveEvent, SendEvent } from "./events.ts";
import type { Scope } from "./scopes.ts";

/**
 * An ASGI application (ASGI 3.0, "Applications"): called once per request, once per socket, and once for its life.
 *
 * One that does not know a scope's type must throw.
 */
export type AsgiApp = (scope: Scope, receive: Receive, send: Send) => Promise<void>;

/** Gives the next event, when there is one. */
export type Receive = () => Promise<ReceiveEvent>;

/**
 * Takes an event; settles when the client can take more.
 *
 * @throws GatewayError `GW_ASGI_EVENT` for a malformed one, `GW_ASGI_ORDER` for one that may not come now,
 *   `GW_ASGI_DISCONNECTED` when the client has gone
 */
export type Send = (event: SendEvent) => Promise<void>;
