// Errors of the client's side: what is wrong with a backend.
import { GatewayError, type GatewayErrorOptions } from "@gw/core";

const STATUSES = {
  GW_FCGI_ANSWER_CUT: 502,
  GW_FCGI_CLIENT_GONE: 499,
  GW_FCGI_DOWN: 503,
  GW_FCGI_OPTION: 500,
  GW_FCGI_NO_UPGRADE: 501,
  GW_FCGI_OVERLOADED: 503,
  GW_FCGI_PATH: 400,
  GW_FCGI_REFUSED: 502,
  GW_FCGI_SENDFILE: 502,
  GW_FCGI_TIMEOUT: 504,
  GW_FCGI_TOO_LARGE: 431,
  GW_FCGI_UNREACHABLE: 502,
} as const;

/** Codes of a FastcgiError; docs/errors.md says what each means. */
export type FastcgiErrorCode = keyof typeof STATUSES;

/** What goes wrong between us and a backend. */
export class FastcgiError extends GatewayError {
  override readonly name: string = "FastcgiError";

  constructor(code: FastcgiErrorCode, message: string, options: GatewayErrorOptions = {}) {
    super(code, STATUSES[code], message, options);
  }
}

/** Whether nobody listens at an address. A connection can fail for reasons of ours, too: no descriptors left, a full backlog. */
export function isNobodyThere(error: unknown): boolean {
  const { cause } = error as { cause?: { code?: unknown } };
  return error instanceof FastcgiError && (cause?.code === "ECONNREFUSED" || cause?.code === "ENOENT");
}
