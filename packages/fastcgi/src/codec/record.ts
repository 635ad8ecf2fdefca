// Records: the 8-byte header, content, padding (FastCGI 1.0 §3.3). Bytes in, parts out; no I/O.
import { FCGI_VERSION_1, HEADER_BYTES, MAX_CONTENT_BYTES } from "./constants.ts";
import { FastcgiProtocolError } from "./error.ts";

/**
 * A piece of a record's content: the whole of it when it arrived in one chunk.
 *
 * Content is handed on as it comes, so that no announced length is ever trusted for memory (R-F7).
 */
export interface RecordPart {
  readonly type: number;
  readonly requestId: number;
  /** A view of the chunk that was fed, not a copy. Empty for a record without content. */
  readonly content: Uint8Array;
  /** Whether this is the first piece of its record. */
  readonly isFirst: boolean;
  /** Whether this is the last piece of its record. */
  readonly isLast: boolean;
}

const nothing: Uint8Array = new Uint8Array(0);

/** Turns bytes into record parts. Holds at most one incomplete header; looks at no byte twice. */
export class RecordDecoder {
  readonly #header: Uint8Array = new Uint8Array(HEADER_BYTES);
  /** Bytes of the header that have come. */
  #headerLength = 0;
  /** Bytes of content and padding still to come. */
  #contentLeft = 0;
  #paddingLeft = 0;
  #isFirst = true;
  #failure: FastcgiProtocolError | null = null;

  /** Why nothing more can be read; `null` while all is well. */
  get failure(): FastcgiProtocolError | null {
    return this.#failure;
  }

  /**
   * Takes one chunk, of any size, and returns every part it holds. What cannot be read ends it: see `failure`.
   */
  feed(chunk: Uint8Array): RecordPart[] {
    const parts: RecordPart[] = [];
    try {
      if (this.#failure === null) this.#read(chunk, parts);
    } catch (error) {
      this.#failure = error as FastcgiProtocolError;
    }
    return parts;
  }

  #read(chunk: Uint8Array, parts: RecordPart[]): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#headerLength < HEADER_BYTES) {
        at = this.#readHeader(chunk, at);
        if (this.#headerLength < HEADER_BYTES) break;
        if (this.#contentLeft === 0) parts.push(this.#part(nothing));
      } else if (this.#contentLeft > 0) {
        const end = Math.min(chunk.length, at + this.#contentLeft);
        this.#contentLeft -= end - at;
        parts.push(this.#part(chunk.subarray(at, end)));
        at = end;
      }
      if (this.#contentLeft === 0) at = this.#skipPadding(chunk, at);
    }
  }

  /** Whether the stream may end here: between two records. */
  get isBetweenRecords(): boolean {
    return this.#headerLength === 0;
  }

  /**
   * Call once when the peer closes.
   *
   * @throws FastcgiProtocolError `GW_FCGI_PROTOCOL` if it closed inside a record
   */
  end(): void {
    if (this.#failure !== null) throw this.#failure;
    if (!this.isBetweenRecords) throw new FastcgiProtocolError("GW_FCGI_PROTOCOL", "the peer closed inside a record");
  }

  #readHeader(chunk: Uint8Array, start: number): number {
    let at = start;
    while (this.#headerLength < HEADER_BYTES && at < chunk.length) {
      this.#header[this.#headerLength++] = chunk[at++] as number;
    }
    if (this.#headerLength < HEADER_BYTES) return at;
    // By index: taking an array apart runs an iterator, which is half the cost of a header.
    const version = this.#header[0] as number;
    if (version !== FCGI_VERSION_1) {
      throw new FastcgiProtocolError(
        "GW_FCGI_PROTOCOL",
        `expected a record of FastCGI version 1, found version ${version}`,
      );
    }
    this.#contentLeft = this.#numberAt(4);
    this.#paddingLeft = this.#header[6] as number;
    this.#isFirst = true;
    return at;
  }

  #part(content: Uint8Array): RecordPart {
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    const type = this.#header[1] as number;
    return { type, requestId: this.#numberAt(2), content, isFirst, isLast: this.#contentLeft === 0 };
  }

  #numberAt(at: number): number {
    return ((this.#header[at] as number) << 8) | (this.#header[at + 1] as number);
  }

  /** Skips padding; the next byte then begins a header. */
  #skipPadding(chunk: Uint8Array, at: number): number {
    const skipped = Math.min(this.#paddingLeft, chunk.length - at);
    this.#paddingLeft -= skipped;
    if (this.#paddingLeft === 0) this.#headerLength = 0;
    return at + skipped;
  }
}

/** Writes a record's header into a buffer, without padding. */
export function writeHeader(
  target: Uint8Array,
  at: number,
  type: number,
  requestId: number,
  contentLength: number,
): void {
  target[at] = FCGI_VERSION_1;
  target[at + 1] = type;
  target[at + 2] = requestId >> 8;
  target[at + 3] = requestId & 255;
  target[at + 4] = contentLength >> 8;
  target[at + 5] = contentLength & 255;
  target[at + 6] = 0;
  target[at + 7] = 0;
}

/** A record's header alone: for content that is written beside it without a copy. */
export function recordHeader(type: number, requestId: number, contentLength: number): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  writeHeader(header, 0, type, requestId, contentLength);
  return header;
}

/** One whole record: header and content in one piece. Content of at most 65,535 bytes. */
export function writeRecord(type: number, requestId: number, content: Uint8Array): Uint8Array {
  const record = new Uint8Array(HEADER_BYTES + content.length);
  writeHeader(record, 0, type, requestId, content.length);
  record.set(content, HEADER_BYTES);
  return record;
}

/**
 * Content of any length as header and slice by turns, ready for one gathered write; nothing is copied.
 *
 * Empty content gives nothing: an empty record would end the stream (§3.3).
 */
export function streamRecords(type: number, requestId: number, content: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < content.length; at += MAX_CONTENT_BYTES) {
    const slice = content.subarray(at, at + MAX_CONTENT_BYTES);
    pieces.push(recordHeader(type, requestId, slice.length), slice);
  }
  return pieces;
}
