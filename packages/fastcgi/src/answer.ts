// An answer as FCGI_STDOUT records: header block, body, end of stream, FCGI_END_REQUEST.
import { HEADER_BYTES, MAX_CONTENT_BYTES, RecordType } from "./codec/constants.ts";
import { streamRecords, writeHeader } from "./codec/record.ts";

/** Up to this size an answer is copied into one piece; beyond, a gathered write costs less than the copy. */
const JOINED_BYTES = 16_384;

/** The pieces of a whole answer: one piece for a small one, so that it leaves in one write. */
export function wholeAnswer(requestId: number, block: Uint8Array, body: Uint8Array | null): Uint8Array[] {
  const length = block.length + (body?.length ?? 0);
  if (length > JOINED_BYTES) {
    const pieces = [...streamRecords(RecordType.stdout, requestId, block)];
    if (body !== null) pieces.push(...streamRecords(RecordType.stdout, requestId, body));
    return [...pieces, endPiece(requestId, 0)];
  }
  // From Node's pool: memory of its own costs a small answer more than filling it.
  const piece = Buffer.allocUnsafe(HEADER_BYTES + length + END_BYTES);
  writeHeader(piece, 0, RecordType.stdout, requestId, length);
  piece.set(block, HEADER_BYTES);
  if (body !== null) piece.set(body, HEADER_BYTES + block.length);
  writeEnd(piece, HEADER_BYTES + length, requestId, 0);
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
  const piece = Buffer.allocUnsafe(END_BYTES);
  writeEnd(piece, 0, requestId, appStatus);
  return piece;
}

/** An empty record, and one with a body of eight bytes (§5.5). */
const END_BYTES = HEADER_BYTES * 3;

function writeEnd(target: Buffer, at: number, requestId: number, appStatus: number): void {
  writeHeader(target, at, RecordType.stdout, requestId, 0);
  writeHeader(target, at + HEADER_BYTES, RecordType.endRequest, requestId, HEADER_BYTES);
  target.writeUInt32BE(appStatus, at + 2 * HEADER_BYTES);
  target.writeUInt32BE(REQUEST_COMPLETE, at + 2 * HEADER_BYTES + 4);
}

/** FCGI_REQUEST_COMPLETE is 0, and so are the three reserved bytes behind it. */
const REQUEST_COMPLETE = 0;
