// Name-value pairs: lengths in one byte or four, then name and value (FastCGI 1.0 §3.4).
import { byteStringToBytes, bytesToByteString, headerNameOf, repeatSeparator } from "@gw/core";
import { FastcgiProtocolError } from "./error.ts";

/** Limits of one params stream (R-F8). */
export interface ParamsLimits {
  /** Bytes of the stream. @default 262_144 */
  maxBytes?: number;
  /** Pairs. @default 1_000 */
  maxPairs?: number;
}

const DEFAULT_MAX_BYTES = 262_144;
const DEFAULT_MAX_PAIRS = 1_000;

/** Names seen at each position: a web server sends the same names in the same order on every request. */
interface KnownName {
  readonly bytes: Uint8Array;
  readonly text: string;
}

const MAX_KNOWN_NAMES = 256;

/**
 * A stream of up to this many bytes becomes text at once and values are cut out of it, which costs a third of reading each
 * alone. A value that is kept then keeps the whole, so a long one is read value by value.
 */
const WHOLE_BYTES = 4_096;

/**
 * Decodes whole params streams into maps of byte strings. One decoder serves a connection or a server: it remembers
 * the names it saw, so that a name is compared instead of decoded.
 */
export class ParamsDecoder {
  readonly #maxPairs: number;
  readonly #known: (KnownName | undefined)[] = [];

  constructor({ maxPairs = DEFAULT_MAX_PAIRS }: ParamsLimits = {}) {
    this.#maxPairs = maxPairs;
  }

  /**
   * The pairs of a stream. A repeated name keeps its first value, so that nothing sent later can replace it; but a
   * repeated header field has all of its values (nginx before 1.23 sends each line as a pair of its own).
   *
   * @throws FastcgiProtocolError `GW_FCGI_PARAMS` if it ends inside a pair, `GW_FCGI_LIMIT` for too many pairs
   */
  decode(bytes: Uint8Array): Map<string, string> {
    const pairs = new Map<string, string>();
    const whole = bytes.length <= WHOLE_BYTES ? bytesToByteString(bytes) : null;
    let at = 0;
    for (let position = 0; at < bytes.length; position++) {
      if (position >= this.#maxPairs) {
        throw new FastcgiProtocolError("GW_FCGI_LIMIT", `more than ${this.#maxPairs} variables`);
      }
      let nameLength = bytes[at++] as number;
      if (nameLength > 127) {
        nameLength = longLength(bytes, at - 1);
        at += 3;
      }
      let valueLength = bytes[at++] as number;
      if (valueLength > 127) {
        valueLength = longLength(bytes, at - 1);
        at += 3;
      }
      const valueAt = at + nameLength;
      const end = valueAt + valueLength;
      if (!(end <= bytes.length)) throw cutPair(bytes.length); // also when a length byte was missing (NaN)
      const name = this.#name(bytes, at, valueAt, position);
      const value = whole?.slice(valueAt, end) ?? bytesToByteString(bytes.subarray(valueAt, end));
      if (!pairs.has(name)) pairs.set(name, value);
      else if (name.startsWith("HTTP_")) pairs.set(name, pairs.get(name) + separatorOf(name) + value);
      at = end;
    }
    return pairs;
  }

  #name(bytes: Uint8Array, start: number, end: number, position: number): string {
    const known = this.#known[position];
    if (known !== undefined && isSame(known.bytes, bytes, start, end)) return known.text;
    const text = bytesToByteString(bytes.subarray(start, end));
    if (position < MAX_KNOWN_NAMES) this.#known[position] = { bytes: bytes.slice(start, end), text };
    return text;
  }
}

function separatorOf(variable: string): string {
  const field = headerNameOf(variable)?.toLowerCase();
  return (field === undefined ? null : repeatSeparator(field)) ?? ", ";
}

function isSame(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let at = known.length - 1; at >= 0; at--) if (known[at] !== bytes[start + at]) return false;
  return true;
}

function longLength(bytes: Uint8Array, at: number): number {
  const [first, second, third, fourth] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  if (fourth === undefined) return Number.NaN;
  return (((first as number) & 127) << 24) | ((second as number) << 16) | ((third as number) << 8) | fourth;
}

function cutPair(length: number): FastcgiProtocolError {
  return new FastcgiProtocolError("GW_FCGI_PARAMS", `a params stream of ${length} bytes ends inside a pair`);
}

/** Collects the records of one params stream until its end (R-F8). */
export class ParamsBuffer {
  readonly #maxBytes: number;
  /** The first piece as it came; from the second on, a buffer of our own. */
  #bytes: Uint8Array = nothing;
  #length = 0;

  constructor({ maxBytes = DEFAULT_MAX_BYTES }: ParamsLimits = {}) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Adds a piece of the stream, which belongs to the buffer from now on.
   *
   * @throws FastcgiProtocolError `GW_FCGI_LIMIT` if the stream grows too long
   */
  push(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#maxBytes) {
      this.#bytes = nothing;
      throw new FastcgiProtocolError("GW_FCGI_LIMIT", `variables of more than ${this.#maxBytes} bytes`);
    }
    if (this.#length === 0) this.#bytes = chunk;
    else this.#append(chunk, length);
    this.#length = length;
  }

  /** Copies: views of many small pieces would keep all of what was read around them (R-F7). */
  #append(chunk: Uint8Array, length: number): void {
    if (this.#bytes.length < length) {
      const larger = new Uint8Array(Math.min(this.#maxBytes, Math.max(FIRST_BYTES, length * 2)));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(chunk, this.#length);
  }

  /** The whole stream in one piece: without a copy if it came in one. */
  take(): Uint8Array {
    const whole = this.#bytes.length === this.#length ? this.#bytes : this.#bytes.subarray(0, this.#length);
    this.#bytes = nothing;
    return whole;
  }
}

const nothing: Uint8Array = new Uint8Array(0);
const FIRST_BYTES = 4_096;

/** Pairs as bytes: one pair after the other, names and values as byte strings. */
export function writeParams(pairs: Iterable<readonly [name: string, value: string]>): Uint8Array {
  let text = "";
  for (const [name, value] of pairs) text += pairText(name, value);
  return byteStringToBytes(text);
}

/** One pair as a byte string. */
export function pairText(name: string, value: string): string {
  return lengthText(name.length) + lengthText(value.length) + name + value;
}

/** A length in its shortest form, as a byte string. */
function lengthText(length: number): string {
  if (length < 128) return String.fromCharCode(length);
  return String.fromCharCode((length >>> 24) | 128, (length >>> 16) & 255, (length >>> 8) & 255, length & 255);
}
