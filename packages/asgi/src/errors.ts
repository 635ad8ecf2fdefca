// The errors of this package, one maker each.
import { GatewayError, isGatewayError } from "@gw/core";

/** A malformed event: unknown type, missing key, wrong type of value. */
export function eventError(type: string, message: string): GatewayError {
  return new GatewayError("GW_ASGI_EVENT", 500, `${type}: ${message}`);
}

/** An event that may not come now. */
export function orderError(type: string, when: string): GatewayError {
  return new GatewayError("GW_ASGI_ORDER", 500, `${type} may not be sent ${when}`);
}

/** The client has gone: what Python servers raise as a subclass of OSError. */
export function disconnectedError(): GatewayError {
  return new GatewayError("GW_ASGI_DISCONNECTED", 499, "the client has gone");
}

/** The client has gone, and the time the app had to notice is over. */
export function cancelledError(): GatewayError {
  return new GatewayError("GW_ASGI_CANCELLED", 499, "the client has gone, and the app went on for too long");
}

/** Whether an app threw back what we threw at it because its client has gone: no error of its own. */
export function isLeaving(error: unknown): boolean {
  return isGatewayError(error, "GW_ASGI_DISCONNECTED") || isGatewayError(error, "GW_ASGI_CANCELLED");
}

/**
 * A rejected promise that may be ignored: an app that does not await `send` must not end the process with an
 * unhandled rejection (R-W5).
 */
export function rejected<T>(error: unknown): Promise<T> {
  const promise = Promise.reject<T>(error);
  promise.catch(() => {});
  return promise;
}
