// The head of an answer as a CGI program or FastCGI responder writes it (RFC 3875 §6.3).
import { byteStringToBytes } from "../bytes/byte-string.ts";
import { reasonPhrase } from "../headers/status.ts";
import type { HeaderList } from "../model/headers.ts";

/**
 * Writes a header block: `Status`, the fields in their order, an empty line. Lines end in CRLF.
 *
 * `Status` is always written, so that a `Location` is never taken for a local redirect. Writes what it is given: run
 * `checkResponseHead` first.
 */
export function writeHeaderBlock(status: number, headers: HeaderList): Uint8Array {
  const phrase = reasonPhrase(status);
  let block = phrase === "" ? `Status: ${status}\r\n` : `Status: ${status} ${phrase}\r\n`;
  const flat = headers.toFlat();
  for (let at = 0; at < flat.length; at += 2) block += `${flat[at]}: ${flat[at + 1]}\r\n`;
  return byteStringToBytes(`${block}\r\n`);
}
