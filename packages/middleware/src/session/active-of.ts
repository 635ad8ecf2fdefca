// How layers find the session of a request.
import { GatewayError, type RequestHead, type StateKey, stateKey } from "@gw/core";
import type { ActiveSession } from "./active.ts";

/** Where `session()` leaves the session of an exchange. */
export const sessionKey: StateKey<ActiveSession> = stateKey("gw.session");

/** The session of the exchange, as layers of ours see it. @throws GatewayError `GW_NO_SESSION` without a `session()` layer around. */
export function activeOf(request: RequestHead): ActiveSession {
  const active = request.state.get(sessionKey);
  if (active !== undefined) return active;
  throw new GatewayError("GW_NO_SESSION", 500, "sessionOf(request) needs the layer session() around the app");
}
