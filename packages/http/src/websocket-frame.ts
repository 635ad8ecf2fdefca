// Frames that a server sends: whole messages, not masked, not compressed (RFC 6455 §5.2).

const FINAL_TEXT = 0x81;
const FINAL_BINARY = 0x82;
/** Longest payload whose length fits the first two bytes, and the one that fits two more. */
const SHORT_BYTES = 125;
const MEDIUM_BYTES = 0xffff;

/** Longest head of a frame. */
const LONG_HEAD_BYTES = 10;

/** Up to this size head and payload are copied into one buffer: one write is cheaper than one copy. */
const JOINED_BYTES = 4_096;

/** Bytes of a message's payload. */
export function payloadBytes(message: string | Uint8Array): number {
  return typeof message === "string" ? Buffer.byteLength(message) : message.length;
}

/**
 * The bytes of a message: one buffer if it is small, else the head and the payload.
 *
 * A string is sent as text, in UTF-8.
 *
 * @param length the payload's, from `payloadBytes`
 */
export function writeMessage(message: string | Uint8Array, length: number): readonly Uint8Array[] {
  const isText = typeof message === "string";
  const first = isText ? FINAL_TEXT : FINAL_BINARY;
  if (length > JOINED_BYTES) {
    const head = Buffer.allocUnsafe(LONG_HEAD_BYTES);
    return [head.subarray(0, writeHead(head, first, length)), isText ? Buffer.from(message) : message];
  }
  const frame = Buffer.allocUnsafe(LONG_HEAD_BYTES + length);
  const headBytes = writeHead(frame, first, length);
  if (isText) frame.write(message, headBytes);
  else frame.set(message, headBytes);
  return [frame.subarray(0, headBytes + length)];
}

function writeHead(target: Buffer, first: number, length: number): number {
  target[0] = first;
  if (length <= SHORT_BYTES) {
    target[1] = length;
    return 2;
  }
  if (length <= MEDIUM_BYTES) {
    target[1] = 126;
    target.writeUInt16BE(length, 2);
    return 4;
  }
  target[1] = 127;
  target.writeUIntBE(0, 2, 2);
  target.writeUIntBE(length, 4, 6);
  return LONG_HEAD_BYTES;
}
