// Errors of the proxy: what is wrong with an upstream.
import { GatewayError, type GatewayErrorOptions } from "@gw/core";

const STATUSES = {
  GW_PROXY_ANSWER: 502,
  GW_PROXY_CUT: 502,
  GW_PROXY_GONE: 499,
  GW_PROXY_IDENTITY: 500,
  GW_PROXY_OPTION: 500,
  GW_PROXY_SOCKETS: 503,
  GW_PROXY_TIMEOUT: 504,
  GW_PROXY_TLS: 502,
  GW_PROXY_UNREACHABLE: 503,
} as const;

/** Codes of a ProxyError; docs/errors.md says what each means. */
export type ProxyErrorCode = keyof typeof STATUSES;

/** What goes wrong between us and an upstream. */
export class ProxyError extends GatewayError {
  override readonly name: string = "ProxyError";

  constructor(code: ProxyErrorCode, message: string, options: GatewayErrorOptions = {}) {
    super(code, STATUSES[code], message, options);
  }
}

/** The client left before the end of the answer. */
export function clientLeft(): ProxyError {
  return new ProxyError("GW_PROXY_GONE", "the client left before the end of the answer");
}
