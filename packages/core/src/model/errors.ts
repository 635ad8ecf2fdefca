// The error every package throws: a code that never changes and a status for when nobody handles it.
/** Header fields as pairs; a HeaderList is one. Structural, so that errors depend on nothing. */
export type HeaderPairs = Iterable<readonly [name: string, value: string]>;

const BRAND = Symbol.for("gw.error");

/** What an error may carry besides its message. */
export interface GatewayErrorOptions {
  /** The error that led here; kept for the log, never shown to a client. */
  cause?: unknown;
  /** Response headers that belong to the status, such as `Allow` or `Retry-After`. */
  headers?: HeaderPairs;
}

/**
 * Base of every error that gw throws.
 *
 * `code` never changes between releases; `status` is the HTTP status that the
 * error becomes when no layer handles it. A 4xx message is shown to the
 * client, a 5xx message only to the log.
 */
export class GatewayError extends Error {
  override readonly name: string = "GatewayError";
  /** Stable identifier, `GW_…`; listed in docs/errors.md. */
  readonly code: string;
  /** HTTP status (RFC 9110 §15) used when nobody handles the error. */
  readonly status: number;
  /** Response headers that belong to the status; `null` if there are none. */
  readonly headers: HeaderPairs | null;

  constructor(code: string, status: number, message: string, options: GatewayErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.status = status;
    this.headers = options.headers ?? null;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/**
 * Says whether a value is a GatewayError, and one with the given code if a code is given.
 *
 * Works across two installed copies of gw, where `instanceof` does not.
 */
export function isGatewayError(value: unknown, code?: string): value is GatewayError {
  if (typeof value !== "object" || value === null) return false;
  if ((value as { [BRAND]?: unknown })[BRAND] !== true) return false;
  return code === undefined || (value as GatewayError).code === code;
}
