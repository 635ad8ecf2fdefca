// The records that open a request. A pair is never cut: PHP-FPM refuses one that lies in two records (R-F12).
import { bytesToByteString } from "@gw/core";
import { FCGI_VERSION_1, MAX_CONTENT_BYTES, RecordType } from "../codec/constants.ts";
import { writeBeginRequest } from "../codec/control.ts";
import { pairText } from "../codec/params.ts";
import { FastcgiError } from "./errors.ts";

/** Most bytes of variables: beyond, PHP-FPM and others give up without a word. */
const MAX_PARAMS_BYTES = 262_144;

/** What opens a request besides its variables. */
export interface RequestOpening {
  readonly keepConnection: boolean;
  /** Whether input follows; else its end is one of the records. */
  readonly hasInput: boolean;
}

/**
 * FCGI_BEGIN_REQUEST for a responder and all of its variables, as a byte string: a socket writes it without a buffer in between.
 *
 * @throws FastcgiError `GW_FCGI_TOO_LARGE` (431) for a variable that fits into no record, or for too many
 */
export function requestRecords(
  requestId: number,
  variables: Readonly<Record<string, string>>,
  { keepConnection, hasInput }: RequestOpening,
): string {
  let records = beginText(requestId, keepConnection);
  let content = "";
  let total = 0;
  for (const name in variables) {
    const value = variables[name] as string;
    const pair = pairText(name, value);
    total += pair.length;
    if (pair.length > MAX_CONTENT_BYTES || total > MAX_PARAMS_BYTES) throw tooLarge(name, pair.length);
    if (content.length + pair.length > MAX_CONTENT_BYTES) {
      records += headerText(RecordType.params, requestId, content.length) + content;
      content = "";
    }
    content += pair;
  }
  if (content !== "") records += headerText(RecordType.params, requestId, content.length) + content;
  records += headerText(RecordType.params, requestId, 0);
  return hasInput ? records : records + headerText(RecordType.stdin, requestId, 0);
}

/** FCGI_BEGIN_REQUEST, remembered: ids are few, since the smallest free one is taken. */
function beginText(requestId: number, keepConnection: boolean): string {
  const at = requestId * 2 + Number(keepConnection);
  const known = begins[at];
  if (known !== undefined) return known;
  const text = bytesToByteString(writeBeginRequest(requestId, "responder", keepConnection));
  if (at < MAX_BEGINS) begins[at] = text;
  return text;
}

const MAX_BEGINS = 128;
const begins: string[] = [];

/** The header of a record, as a byte string. */
function headerText(type: number, requestId: number, contentLength: number): string {
  const [idHigh, idLow] = [requestId >> 8, requestId & 255];
  const [high, low] = [contentLength >> 8, contentLength & 255];
  return String.fromCharCode(FCGI_VERSION_1, type, idHigh, idLow, high, low, 0, 0);
}

function tooLarge(name: string, pairBytes: number): FastcgiError {
  return new FastcgiError(
    "GW_FCGI_TOO_LARGE",
    `the request's variables are too large for FastCGI: ${name} has ${pairBytes} bytes`,
  );
}
