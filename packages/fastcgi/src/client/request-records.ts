// The records that open a request. A pair is never cut: PHP-FPM refuses one that lies in two records (R-F12).
import { MAX_CONTENT_BYTES, RecordType } from "../codec/constants.ts";
import { writeBeginRequest } from "../codec/control.ts";
import { writeParams } from "../codec/params.ts";
import { recordHeader, writeRecord } from "../codec/record.ts";
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
  const records: Uint8Array[] = [writeBeginRequest(requestId, "responder", keepConnection)];
  let pairs: [string, string][] = [];
  let length = 0;
  let total = 0;
  const flush = (): void => {
    if (pairs.length > 0) records.push(writeRecord(RecordType.params, requestId, writeParams(pairs)));
    pairs = [];
    length = 0;
  };
  for (const name in variables) {
    const value = variables[name] as string;
    const pairBytes = name.length + value.length + (name.length < 128 ? 1 : 4) + (value.length < 128 ? 1 : 4);
    total += pairBytes;
    if (pairBytes > MAX_CONTENT_BYTES || total > MAX_PARAMS_BYTES) throw tooLarge(name, pairBytes);
    if (length + pairBytes > MAX_CONTENT_BYTES) flush();
    pairs.push([name, value]);
    length += pairBytes;
  }
  flush();
  records.push(recordHeader(RecordType.params, requestId, 0));
  return Buffer.concat(records);
}

function tooLarge(name: string, pairBytes: number): FastcgiError {
  return new FastcgiError(
    "GW_FCGI_TOO_LARGE",
    `the request's variables are too large for FastCGI: ${name} has ${pairBytes} bytes`,
  );
}
