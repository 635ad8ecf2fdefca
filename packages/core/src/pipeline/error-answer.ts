// The response that an error becomes.
import { encodeText } from "../bytes/byte-string.ts";
import { reasonPhrase } from "../headers/status.ts";
import { type GatewayError, isGatewayError } from "../model/errors.ts";
import { HeaderList } from "../model/headers.ts";
import type { GatewayRequest } from "../model/request.ts";
import type { HttpResponse } from "../model/response.ts";
import { notesOf } from "./notes.ts";

/**
 * The response that an unhandled error becomes.
 *
 * A GatewayError gives its status and headers, and below 500 its message;
 * anything else is a 500 without detail (R-W5). The error is noted on the
 * exchange; what is our side's fault is logged.
 */
export function errorAnswer(error: unknown, request: GatewayRequest): HttpResponse {
  const known = isGatewayError(error) ? error : null;
  const status = statusOf(known);
  if (status >= 500) logFailure(error, status, request);
  notesOf(request.exchange).error = error;
  const title = `${status} ${reasonPhrase(status)}`.trimEnd();
  const detail = known !== null && status < 500 ? `${title}\n${known.message}\n` : `${title}\n`;
  const headers = known?.headers ? HeaderList.from([...plainText, ...known.headers]) : plainText;
  return { kind: "response", status, headers, body: encodeText(detail) };
}

const plainText = HeaderList.from({
  "Content-Type": "text/plain; charset=utf-8",
  "X-Content-Type-Options": "nosniff",
});

function statusOf(known: GatewayError | null): number {
  if (known === null) return 500;
  const { status } = known;
  return Number.isInteger(status) && status >= 400 && status <= 599 ? status : 500;
}

function logFailure(error: unknown, status: number, request: GatewayRequest): void {
  const { log } = request.exchange;
  const message = `${request.method} ${request.target}: answered ${status}`;
  // When the client has left, apps fail because of that; nobody gets the answer.
  if (request.signal.aborted) log.debug({ err: error }, message);
  else if (status === 503) log.warn({ err: error }, message);
  else log.error({ err: error }, message);
}
