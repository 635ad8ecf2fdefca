// What can be wrong with the head of a program's answer.
import { GatewayError } from "../model/errors.ts";

/** Code of a HeaderBlockError. */
export type HeaderBlockErrorCode =
  | "GW_CGI_NO_OUTPUT"
  | "GW_CGI_CUT"
  | "GW_CGI_TOO_LARGE"
  | "GW_CGI_BAD_LINE"
  | "GW_CGI_BAD_STATUS"
  | "GW_CGI_BAD_LOCATION"
  | "GW_CGI_FRAMING"
  | "GW_CGI_REPEATED"
  | "GW_CGI_NO_TYPE";

/** A program's answer has no head that could be understood in one way only. Always 502: the program's fault, not the client's. */
export class HeaderBlockError extends GatewayError {
  override readonly name = "HeaderBlockError";
  declare readonly code: HeaderBlockErrorCode;

  constructor(code: HeaderBlockErrorCode, message: string) {
    super(code, 502, message);
  }
}
