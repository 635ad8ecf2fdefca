// Writes values in CPython's marshal format, in the few codes that every version since 3.4 reads alike. No I/O.
import { allocate, type NativeBuffer } from "./native-buffer.ts";

const SLAB_BYTES = 65_536;
const MAX_REMEMBERED = 500;

const ASCII_SHORT = 0x7a; // z
const ASCII = 0x61; // a
const UNICODE = 0x75; // u
const BYTES = 0x73; // s
const INT = 0x69; // i
const FLOAT = 0x67; // g
const SHORT_TUPLE = 0x29; // )
const LIST = 0x5b; // [
const DICT = 0x7b; // {
const DICT_END = 0x30; // 0
const NONE = 0x4e; // N
const TRUE = 0x54; // T
const FALSE = 0x46; // F

/** Text shorter than this is written char by char: cheaper than the call into native code. */
const SHORT_TEXT = 48;

/** What `value` can write. */
export type MarshalValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly MarshalValue[]
  | { readonly [name: string]: MarshalValue | undefined };

/**
 * Appends values to a growing buffer; `take` hands out what was written.
 *
 * Reference bits and interned strings, which CPython's own writer uses, make
 * its reader slower: they are never written.
 */
export class MarshalWriter {
  #slab: NativeBuffer = allocate(SLAB_BYTES);
  #start = 0;
  #at = 0;
  readonly #names = new Map<string, Buffer>();
  readonly #byteNames = new Map<string, Buffer>();

  /** Bytes written since the last `take`. */
  get length(): number {
    return this.#at - this.#start;
  }

  /** Everything written since the last `take`; the bytes are the caller's. */
  take(): Buffer {
    const taken = this.#slab.subarray(this.#start, this.#at);
    this.#start = this.#at;
    return taken;
  }

  /** Takes back what was written after `length` bytes: a frame that could not be finished. */
  truncate(length: number): void {
    this.#at = this.#start + length;
  }

  /** A 32-bit number, little-endian, without a code: lengths and counts. */
  raw32(value: number): void {
    this.#reserve(4);
    this.#at = this.#slab.writeUInt32LE(value, this.#at);
  }

  /** Overwrites a 32-bit number written `position` bytes after the start. */
  patch32(position: number, value: number): void {
    this.#slab.writeUInt32LE(value, this.#start + position);
  }

  /** Starts a tuple of at most 255 values, which must follow. */
  tuple(size: number): void {
    this.#reserve(2);
    this.#slab[this.#at++] = SHORT_TUPLE;
    this.#slab[this.#at++] = size;
  }

  /** Starts a list of values, which must follow. */
  list(size: number): void {
    this.#code(LIST);
    this.raw32(size);
  }

  /** Starts a dict; names and values follow, then `endDict`. */
  dict(): void {
    this.#code(DICT);
  }

  /** Ends a dict. */
  endDict(): void {
    this.#code(DICT_END);
  }

  none(): void {
    this.#code(NONE);
  }

  boolean(value: boolean): void {
    this.#code(value ? TRUE : FALSE);
  }

  /** A signed 32-bit integer. */
  int(value: number): void {
    this.#reserve(5);
    this.#slab[this.#at] = INT;
    this.#at = this.#slab.writeInt32LE(value, this.#at + 1);
  }

  /** A `str`. The string is text: a byte string gives a str of the same chars, which is what PEP 3333 asks for. */
  text(text: string): void {
    const { length } = text;
    if (length >= SHORT_TEXT) return this.#longText(text);
    this.#reserve(2 + length);
    const slab = this.#slab;
    let at = this.#at + 2;
    for (let index = 0; index < length; index++) {
      const char = text.charCodeAt(index);
      if (char > 0x7f) return this.#unicode(text);
      slab[at++] = char;
    }
    slab[this.#at] = ASCII_SHORT;
    slab[this.#at + 1] = length;
    this.#at = at;
  }

  /** The `bytes` of a byte string. */
  byteString(text: string): void {
    const { length } = text;
    this.#reserve(5 + length);
    const slab = this.#slab;
    slab[this.#at] = BYTES;
    let at = slab.writeUInt32LE(length, this.#at + 1);
    if (length >= SHORT_TEXT) at += slab.latin1Write(text, at);
    else for (let index = 0; index < length; index++) slab[at++] = text.charCodeAt(index);
    this.#at = at;
  }

  /** `bytes`. */
  bytes(bytes: Uint8Array): void {
    this.#reserve(5 + bytes.length);
    this.#slab[this.#at] = BYTES;
    this.#at = this.#slab.writeUInt32LE(bytes.length, this.#at + 1);
    this.#slab.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** A `str` that comes again and again, such as the name of a variable. */
  name(name: string): void {
    const known = this.#names.get(name);
    if (known !== undefined) return this.#copy(known);
    const before = this.length;
    this.text(name);
    this.#remember(this.#names, name, before);
  }

  /** The `bytes` of a field name in lower case, which come again and again. */
  lowerName(name: string): void {
    const known = this.#byteNames.get(name);
    if (known !== undefined) return this.#copy(known);
    const before = this.length;
    this.byteString(name.toLowerCase());
    this.#remember(this.#byteNames, name, before);
  }

  /** Any plain value: strings as `str`, arrays as lists, records as dicts. What has no counterpart becomes None. */
  value(value: MarshalValue | undefined, depth = 0): void {
    if (depth > MAX_DEPTH) return this.none();
    if (typeof value === "string") return this.text(value);
    if (typeof value === "boolean") return this.boolean(value);
    if (typeof value === "number") return this.#number(value);
    if (typeof value !== "object" || value === null) return this.none();
    if (value instanceof Uint8Array) return this.bytes(value);
    if (Array.isArray(value)) {
      this.list(value.length);
      for (const one of value) this.value(one, depth + 1);
      return;
    }
    this.dict();
    for (const [name, one] of Object.entries(value as { [name: string]: MarshalValue | undefined })) {
      if (one === undefined) continue;
      this.text(name);
      this.value(one, depth + 1);
    }
    this.endDict();
  }

  #number(value: number): void {
    if (Number.isInteger(value) && Math.abs(value) <= 0x7fff_ffff) return this.int(value);
    this.#reserve(9);
    this.#slab[this.#at] = FLOAT;
    this.#at = this.#slab.writeDoubleLE(value, this.#at + 1);
  }

  #longText(text: string): void {
    const { length } = text;
    this.#reserve(5 + length);
    const start = this.#at + 5;
    this.#slab.latin1Write(text, start);
    if (!ASCII_ONLY.test(text)) return this.#unicode(text);
    this.#slab[this.#at] = ASCII;
    this.#slab.writeUInt32LE(length, this.#at + 1);
    this.#at = start + length;
  }

  #unicode(text: string): void {
    this.#reserve(5 + 3 * text.length);
    const length = this.#slab.utf8Write(text, this.#at + 5);
    this.#slab[this.#at] = UNICODE;
    this.#slab.writeUInt32LE(length, this.#at + 1);
    this.#at += 5 + length;
  }

  #copy(known: Buffer): void {
    this.#reserve(known.length);
    this.#slab.set(known, this.#at);
    this.#at += known.length;
  }

  #remember(names: Map<string, Buffer>, name: string, before: number): void {
    // Clients choose names: bounded.
    if (names.size >= MAX_REMEMBERED) names.clear();
    names.set(name, Buffer.from(this.#slab.subarray(this.#start + before, this.#at)));
  }

  #code(code: number): void {
    this.#reserve(1);
    this.#slab[this.#at++] = code;
  }

  /** Makes room; what was taken before stays untouched in the old slab. */
  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#slab.length) return;
    const { length } = this;
    const slab = allocate(Math.max(SLAB_BYTES, 2 * (length + bytes)));
    this.#slab.copy(slab, 0, this.#start, this.#at);
    this.#slab = slab;
    this.#start = 0;
    this.#at = length;
  }
}

const MAX_DEPTH = 20;
const ASCII_ONLY = /^[\u0000-\u007f]*$/;
