// An answer as FCGI_STDOUT records: header block, body, end of stream, FCGI_END_REQUEST.
import { HEADER_BYTES, MAX_CONTENT_BYTES, RecordType } from "./codec/constants.ts";
import { writeEndRequest } from "./codec/control.ts";
import { recordHeader, streamRecords, writeHeader } from "./codec/record.ts";

/** Up to this size an answer is copied into one piece; beyond, a gathered write costs less than the copy. */
const JOINED_BYTES = 16_384;

/** The pieces of a whole answer: one piece for a small one, so that it leaves in one write. */
export function wholeAnswer(requestId: number, block: Uint8Array, body: Uint8Array | null): Uint8Array[] {
  const length = block.length + (body?.length ?? 0);
  const end = endPiece(requestId, 0);
  if (length > JOINED_BYTES) {
    const pieces = [...streamRecords(RecordType.stdout, requestId, block)];
    if (body !== null) pieces.push(...streamRecords(RecordType.stdout, requestId, body));
    return [...pieces, end];
  }
  const piece = new Uint8Array(HEADER_BYTES + length + end.length);
  writeHeader(piece, 0, RecordType.stdout, requestId, length);
  piece.set(block, HEADER_BYTES);
  if (body !== null) piece.set(body, HEADER_BYTES + block.length);
  piece.set(end, HEADER_BYTES + length);
  return [piece];
}

/** The pieces of one chunk of a streamed answer. */
export function chunkPieces(requestId: number, chunk: Uint8Array): Uint8Array[] {
  if (chunk.length > JOINED_BYTES || chunk.length > MAX_CONTENT_BYTES)
    return streamRecords(RecordType.stdout, requestId, chunk);
  const piece = new Uint8Array(HEADER_BYTES + chunk.length);
  writeHeader(piece, 0, RecordType.stdout, requestId, chunk.length);
  piece.set(chunk, HEADER_BYTES);
  return [piece];
}

/** The end of FCGI_STDOUT, and FCGI_END_REQUEST. */
export function endPiece(requestId: number, appStatus: number): Uint8Array {
  const endOfStream = recordHeader(RecordType.stdout, requestId, 0);
  const endOfRequest = writeEndRequest(requestId, appStatus, "complete");
  const piece = new Uint8Array(endOfStream.length + endOfRequest.length);
  piece.set(endOfStream);
  piece.set(endOfRequest, endOfStream.length);
  return piece;
}
