// Reads what `marshal.dumps(value, 2)` writes: ten codes, no references. Every length is checked. No I/O.
import { GatewayError } from "@gw/core";
import { type NativeBuffer, viewOf } from "./native-buffer.ts";

const BYTES = 0x73; // s
const UNICODE = 0x75; // u
const INTERNED = 0x74; // t
const TUPLE = 0x28; // (
const LIST = 0x5b; // [
const DICT = 0x7b; // {
const DICT_END = 0x30; // 0
const INT = 0x69; // i
const NONE = 0x4e; // N
const TRUE = 0x54; // T
const FALSE = 0x46; // F

/** The error for bytes that break the protocol: the worker is not to be trusted any further. */
export function protocolError(message: string): GatewayError {
  return new GatewayError("GW_PYTHON_PROTOCOL", 502, `a Python worker broke the protocol: ${message}`);
}

/**
 * A cursor over one batch. Each method reads one value of the kind it names.
 *
 * @throws GatewayError `GW_PYTHON_PROTOCOL` when another value is there, or the bytes end
 */
export class MarshalReader {
  readonly #bytes: NativeBuffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = viewOf(bytes);
  }

  /** Whether all bytes were read. */
  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The number of values of the list that starts here. */
  list(): number {
    return this.#count(LIST, "a list");
  }

  /** The number of values of the tuple that starts here. */
  tuple(): number {
    return this.#count(TUPLE, "a tuple");
  }

  /** The number of values of the list or tuple that starts here. */
  sequence(): number {
    return this.#bytes[this.#at] === LIST ? this.list() : this.tuple();
  }

  int(): number {
    if (this.#code() !== INT) throw protocolError("an integer was expected");
    this.#need(4);
    const value = this.#bytes.readInt32LE(this.#at);
    this.#at += 4;
    return value;
  }

  boolean(): boolean {
    const code = this.#code();
    if (code !== TRUE && code !== FALSE) throw protocolError("True or False was expected");
    return code === TRUE;
  }

  /** `bytes`: a view of the batch. */
  bytes(): Uint8Array {
    if (this.#code() !== BYTES) throw protocolError("bytes were expected");
    return this.#take();
  }

  /** A string: of `bytes` its byte string, of a `str` its text. */
  text(): string {
    const code = this.#code();
    if (code !== BYTES && code !== UNICODE && code !== INTERNED) throw protocolError("a string was expected");
    const length = this.#length();
    const end = this.#at + length;
    const text = code === BYTES ? this.#bytes.latin1Slice(this.#at, end) : this.#bytes.utf8Slice(this.#at, end);
    this.#at = end;
    return text;
  }

  /** A string, or `null` for None. */
  textOrNone(): string | null {
    if (this.#bytes[this.#at] !== NONE) return this.text();
    this.#at++;
    return null;
  }

  /** Header pairs, as `[name, value, …]`. */
  pairs(): string[] {
    const count = this.sequence();
    const flat: string[] = [];
    for (let index = 0; index < count; index++) {
      if (this.sequence() !== 2) throw protocolError("a header is a pair");
      flat.push(this.text(), this.text());
    }
    return flat;
  }

  /** A list of strings. */
  texts(): string[] {
    const texts: string[] = [];
    for (let count = this.sequence(); count > 0; count--) texts.push(this.text());
    return texts;
  }

  /** A string as text, or bytes as they are: whether a message is text or binary. */
  message(): string | Uint8Array {
    return this.#bytes[this.#at] === BYTES ? this.bytes() : this.text();
  }

  /** A dict of strings, numbers and truth values. */
  facts(): Record<string, string | number | boolean | null> {
    if (this.#code() !== DICT) throw protocolError("a dict was expected");
    const facts: Record<string, string | number | boolean | null> = {};
    while (this.#bytes[this.#at] !== DICT_END) facts[this.text()] = this.#fact();
    this.#at++;
    return facts;
  }

  #fact(): string | number | boolean | null {
    const code = this.#bytes[this.#at];
    if (code === INT) return this.int();
    if (code === TRUE || code === FALSE) return this.boolean();
    return this.textOrNone();
  }

  #count(code: number, what: string): number {
    if (this.#code() !== code) throw protocolError(`${what} was expected`);
    // Each value has one byte at least, so a count is never trusted beyond the bytes that are there.
    return this.#length();
  }

  #take(): Uint8Array {
    const length = this.#length();
    const taken = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return taken;
  }

  #length(): number {
    this.#need(4);
    const length = this.#bytes.readUInt32LE(this.#at);
    this.#at += 4;
    this.#need(length);
    return length;
  }

  #code(): number {
    this.#need(1);
    return this.#bytes[this.#at++] as number;
  }

  #need(bytes: number): void {
    if (this.#at + bytes > this.#bytes.length) throw protocolError("a batch ends inside a value");
  }
}
