// Errors of the CGI host and of the program side. What is wrong inside a header block is core's HeaderBlockError.
import { GatewayError, type GatewayErrorOptions } from "@gw/core";

const STATUSES = {
  GW_CGI_ANSWER_CUT: 502,
  GW_CGI_BUSY: 503,
  GW_CGI_GONE: 400,
  GW_CGI_NO_WEBSOCKET: 501,
  GW_CGI_NOT_EXECUTABLE: 403,
  GW_CGI_NOT_FOUND: 404,
  GW_CGI_NOT_STARTED: 502,
  GW_CGI_OPTION: 500,
  GW_CGI_PUSH_REFUSED: 403,
  GW_CGI_REQUEST: 500,
  GW_CGI_REQUEST_TOO_LARGE: 431,
  GW_CGI_TIMEOUT: 504,
} as const;

/** Codes of a CgiError; docs/errors.md says what each means. */
export type CgiErrorCode = keyof typeof STATUSES;

/** What goes wrong while a program is found, started, fed and listened to, or while we are the program. */
export class CgiError extends GatewayError {
  override readonly name = "CgiError";
  declare readonly code: CgiErrorCode;

  constructor(code: CgiErrorCode, message: string, options: GatewayErrorOptions = {}) {
    super(code, STATUSES[code], message, options);
  }
}
