// Answers to what is no request we serve: written before or beside any app.
import type { ServerResponse } from "node:http";
import { type GatewayError, isGatewayError, type Logger, reasonPhrase, toBytes } from "@gw/core";

/** A refusal: status, fields and a short text for people. */
export interface Refusal {
  readonly status: number;
  readonly fields: readonly string[];
  readonly body: string;
}

/** What a client is told about an error that concerns its request; nothing of errors that are ours. */
export function refusalOf(error: unknown): Refusal {
  const status = isGatewayError(error) ? error.status : 500;
  const title = `${status} ${reasonPhrase(status)}`;
  const body = toBytes(isGatewayError(error) && status < 500 ? `${title}\n${error.message}\n` : `${title}\n`);
  const own = isGatewayError(error) && error.headers !== null ? [...error.headers].flat() : [];
  return {
    status,
    fields: [...own, "Content-Type", "text/plain; charset=utf-8", "Content-Length", String(body.length)],
    body,
  };
}

/** Logs what made a request fail before any app saw it: a fault of ours loudly, a refusal only for those who look closely. */
export function report(error: unknown, { log }: { readonly log: Logger }): void {
  if (isGatewayError(error)) log.debug({ err: error }, "a request was refused");
  else log.error({ err: error }, "a request failed before any app saw it");
}

/** Refuses a request; its connection is closed, since what follows cannot be trusted to be a request. */
export function refuse(res: ServerResponse, error: unknown): void {
  const { status, fields, body } = refusalOf(error);
  res.shouldKeepAlive = false;
  res.writeHead(status, fields as string[]);
  res.end(body, "latin1");
}

/** A whole HTTP/1.1 message, for where there is no response object. */
export function refusalText(error: GatewayError): string {
  const { status, fields, body } = refusalOf(error);
  const lines = [`HTTP/1.1 ${status} ${reasonPhrase(status)}`, `Date: ${new Date().toUTCString()}`];
  for (let at = 0; at < fields.length; at += 2) lines.push(`${fields[at]}: ${fields[at + 1]}`);
  return `${[...lines, "Connection: close"].join("\r\n")}\r\n\r\n${body}`;
}
