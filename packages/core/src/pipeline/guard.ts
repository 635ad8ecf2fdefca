// Errors become responses: around every mounted app and around the whole gateway.

import { encodeText } from "../bytes/byte-string.ts";
import { reasonPhrase } from "../headers/status.ts";
import type { Handler } from "../model/app.ts";
import { isGatewayError } from "../model/errors.ts";
import { HeaderList } from "../model/headers.ts";
import type { GatewayRequest } from "../model/request.ts";
import type { HttpResponse } from "../model/response.ts";
import { andCatch } from "./and-then.ts";
import { notesOf } from "./notes.ts";

/** Wraps a handler so that it never throws and never rejects: what it throws becomes `errorAnswer`. */
export function guard(handler: Handler): Handler {
  return (request) =>
    andCatch(
      () => handler(request),
      (error) => errorAnswer(error, request),
    );
}

const plainText = HeaderList.from({ "Content-Type": "text/plain; charset=utf-8" });

/**
 * The response that an unhandled error becomes.
 *
 * A GatewayError gives its status and headers, and below 500 its message;
 * anything else is a 500 without detail (R-W5). 5xx errors are logged and
 * noted on the exchange.
 */
export function errorAnswer(error: unknown, request: GatewayRequest): HttpResponse {
  const known = isGatewayError(error) ? error : null;
  const status = known?.status ?? 500;
  if (status >= 500) {
    request.exchange.log.error({ err: error }, `${request.method} ${request.target}: answered ${status}`);
  }
  notesOf(request.exchange).error = error;
  const title = `${status} ${reasonPhrase(status)}`.trimEnd();
  const detail = known !== null && status < 500 ? `${title}\n${known.message}\n` : `${title}\n`;
  const headers = known?.headers ? HeaderList.from([...plainText, ...known.headers]) : plainText;
  return { kind: "response", status, headers, body: encodeText(detail) };
}
