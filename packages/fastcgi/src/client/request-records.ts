// The records that open a request. A pair is never cut: PHP-FPM refuses one that lies in two records (R-F12).
import { byteStringToBytes, bytesToByteString } from "@gw/core";
import { FCGI_VERSION_1, MAX_CONTENT_BYTES, RecordType } from "../codec/constants.ts";
import { writeBeginRequest } from "../codec/control.ts";
import { pairText } from "../codec/params.ts";
import { FastcgiError } from "./errors.ts";

/** Most bytes of variables: beyond, PHP-FPM and others give up without a word. */
const MAX_PARAMS_BYTES = 262_144;

/**
 * FCGI_BEGIN_REQUEST for a responder and all of its variables (byte strings).
 *
 * @throws FastcgiError `GW_FCGI_TOO_LARGE` (431) for a variable that fits into no record, or for too many
 */
export function requestRecords(
  requestId: number,
  variables: Readonly<Record<string, string>>,
  keepConnection: boolean,
): Uint8Array {
  // One text for all of it, turned into bytes once: a buffer for each record costs more than its content.
  let records = bytesToByteString(writeBeginRequest(requestId, "responder", keepConnection));
  let content = "";
  let total = 0;
  for (const name in variables) {
    const value = variables[name] as string;
    const pair = pairText(name, value);
    total += pair.length;
    if (pair.length > MAX_CONTENT_BYTES || total > MAX_PARAMS_BYTES) throw tooLarge(name, pair.length);
    if (content.length + pair.length > MAX_CONTENT_BYTES) {
      records += paramsHeader(requestId, content.length) + content;
      content = "";
    }
    content += pair;
  }
  if (content !== "") records += paramsHeader(requestId, content.length) + content;
  return byteStringToBytes(records + paramsHeader(requestId, 0));
}

/** The header of an FCGI_PARAMS record, as a byte string. */
function paramsHeader(requestId: number, contentLength: number): string {
  const [idHigh, idLow] = [requestId >> 8, requestId & 255];
  const [high, low] = [contentLength >> 8, contentLength & 255];
  return String.fromCharCode(FCGI_VERSION_1, RecordType.params, idHigh, idLow, high, low, 0, 0);
}

function tooLarge(name: string, pairBytes: number): FastcgiError {
  return new FastcgiError(
    "GW_FCGI_TOO_LARGE",
    `the request's variables are too large for FastCGI: ${name} has ${pairBytes} bytes`,
  );
}
