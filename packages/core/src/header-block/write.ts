// The head of our own answer when we are the CGI program or FastCGI responder (RFC 3875 §6.3).
import { byteStringToBytes } from "../bytes/byte-string.ts";
import { reasonPhrase } from "../headers/status.ts";
import type { HeaderList } from "../model/headers.ts";

/** Writes a header block: `Status`, the fields, an empty line; lines end in CRLF. Check the head first. */
export function writeHeaderBlock(status: number, headers: HeaderList): Uint8Array {
  let block = `Status: ${status} ${reasonPhrase(status)}\r\n`;
  const flat = headers.toFlat();
  for (let at = 0; at < flat.length; at += 2) block += `${flat[at]}: ${flat[at + 1]}\r\n`;
  return byteStringToBytes(`${block}\r\n`);
}
