// WebSocket frames by hand, as a client writes and reads them (RFC 6455 §5.2).

/** A frame; what is left out: final, no reserved bits, no payload. */
export interface FrameParts {
  readonly opcode: number;
  readonly payload?: Uint8Array | string;
  readonly isFinal?: boolean;
  /** The three reserved bits: 4, 2, 1. */
  readonly reserved?: number;
}

/** A frame that a server sent. */
export interface ServerFrame {
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly reserved: number;
  readonly payload: Buffer;
}

export const CONTINUATION = 0;
export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/** Writes one masked frame. Strings are byte strings. */
export function maskedFrame({ opcode, payload = "", isFinal = true, reserved = 0 }: FrameParts): Buffer {
  const bytes = typeof payload === "string" ? Buffer.from(payload, "latin1") : Buffer.from(payload);
  const first = (isFinal ? 0x80 : 0) | (reserved << 4) | opcode;
  const masked = Buffer.alloc(bytes.length);
  for (let at = 0; at < bytes.length; at++) masked[at] = (bytes[at] as number) ^ (MASK[at & 3] as number);
  return Buffer.concat([Buffer.from([first]), lengthBytes(bytes.length), MASK, masked]);
}

/** The payload of a close frame. */
export function closePayload(code: number, reason: Uint8Array | string = ""): Buffer {
  return Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason as string, "latin1")]);
}

function lengthBytes(length: number): Buffer {
  if (length < 126) return Buffer.from([0x80 | length]);
  const bytes = Buffer.alloc(length < 65_536 ? 3 : 9);
  bytes[0] = 0x80 | (bytes.length === 3 ? 126 : 127);
  bytes.writeUIntBE(length, bytes.length === 3 ? 1 : 3, bytes.length === 3 ? 2 : 6);
  return bytes;
}

/** Collects what comes and cuts it into frames; throws for what no server may send. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #length = 0;
  #needed = 2;

  feed(chunk: Buffer): ServerFrame[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#length < this.#needed) return [];
    let rest = Buffer.concat(this.#chunks, this.#length);
    const frames: ServerFrame[] = [];
    for (;;) {
      const bytes = frameBytes(rest);
      this.#needed = bytes.whole;
      if (rest.length < bytes.whole) break;
      frames.push(readFrame(rest.subarray(0, bytes.whole), bytes.head));
      rest = rest.subarray(bytes.whole);
    }
    this.#chunks = [rest];
    this.#length = rest.length;
    return frames;
  }
}

/** Bytes of the first frame and of its head, as far as they can be told. */
function frameBytes(bytes: Buffer): { head: number; whole: number } {
  if (bytes.length < 2) return { head: 2, whole: 2 };
  const short = bytes.readUInt8(1);
  if (short > 127) throw new Error("a server's frame is masked");
  const head = short === 127 ? 10 : short === 126 ? 4 : 2;
  if (bytes.length < head) return { head, whole: head };
  const length = head === 2 ? short : head === 4 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  return { head, whole: head + length };
}

function readFrame(bytes: Buffer, head: number): ServerFrame {
  const first = bytes.readUInt8(0);
  return {
    opcode: first & 0x0f,
    isFinal: first >= 0x80,
    reserved: (first >> 4) & 7,
    payload: Buffer.from(bytes.subarray(head)),
  };
}
