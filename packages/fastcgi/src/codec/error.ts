// The error of a peer that does not speak FastCGI.
import { GatewayError } from "@gw/core";

/** Codes of protocol errors. */
export type FastcgiProtocolErrorCode = "GW_FCGI_PROTOCOL" | "GW_FCGI_PARAMS" | "GW_FCGI_LIMIT";

/**
 * The peer broke the protocol: `GW_FCGI_PROTOCOL` a record that cannot be, `GW_FCGI_PARAMS` malformed name-value
 * pairs, `GW_FCGI_LIMIT` more of them than allowed (R-F7, R-F8).
 */
export class FastcgiProtocolError extends GatewayError {
  override readonly name: string = "FastcgiProtocolError";

  constructor(code: FastcgiProtocolErrorCode, message: string) {
    super(code, 502, message);
  }
}
