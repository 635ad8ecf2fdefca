// Byte string ↔ Uint8Array ↔ text. The only decoding code.
//
// A byte string is a string whose chars are all one byte (U+0000 to U+00FF):
// what Node gives for header values, what PEP 3333 calls a native string.

const utf8 = new TextEncoder();
const utf8Lenient = new TextDecoder("utf-8", { ignoreBOM: true });
const utf8Strict = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });
const ASCII_ONLY = /^[\u0000-\u007f]*$/;

/** Text → byte string of its UTF-8. Lone surrogates become U+FFFD. */
export function toBytes(text: string): string {
  return ASCII_ONLY.test(text) ? text : bytesToByteString(utf8.encode(text));
}

/** Byte string → text: its bytes read as UTF-8, with U+FFFD for what is not. */
export function toText(byteString: string): string {
  return ASCII_ONLY.test(byteString) ? byteString : utf8Lenient.decode(byteStringToBytes(byteString));
}

/** Byte string → text, or `null` if its bytes are not UTF-8. */
export function toTextStrict(byteString: string): string | null {
  if (ASCII_ONLY.test(byteString)) return byteString;
  try {
    return utf8Strict.decode(byteStringToBytes(byteString));
  } catch {
    return null;
  }
}

/** Text → UTF-8 bytes. */
export function encodeText(text: string): Uint8Array {
  return utf8.encode(text);
}

/** UTF-8 bytes → text, with U+FFFD for what is not UTF-8. */
export function decodeText(bytes: Uint8Array): string {
  return utf8Lenient.decode(bytes);
}

/** Byte string → bytes. Chars above U+00FF lose their high part: check first. */
export function byteStringToBytes(byteString: string): Uint8Array {
  const { length } = byteString;
  const bytes = new Uint8Array(length);
  if (native !== null && length > SHORT) native.latin1Write.call(bytes, byteString, 0, length);
  else for (let at = 0; at < length; at++) bytes[at] = byteString.charCodeAt(at);
  return bytes;
}

/** Bytes → byte string. */
export function bytesToByteString(bytes: Uint8Array): string {
  const { length } = bytes;
  if (native !== null) return native.latin1Slice.call(bytes, 0, length);
  let text = "";
  for (let at = 0; at < length; at += CHUNK) {
    // apply, not spread: it takes the typed array as it is, 8 × as fast.
    text += String.fromCharCode.apply(null, bytes.subarray(at, at + CHUNK) as unknown as number[]);
  }
  return text;
}

const CHUNK = 8192; // arguments per call; engines limit them
const SHORT = 128; // below this the loop is faster than the call into Node

/** What Node's Buffer does in native code, on any Uint8Array; `null` on other runtimes. */
interface NativeLatin1 {
  latin1Write(this: Uint8Array, text: string, start: number, length: number): number;
  latin1Slice(this: Uint8Array, start: number, end: number): string;
}

const prototype = (globalThis as { Buffer?: { prototype: Partial<NativeLatin1> } }).Buffer?.prototype;
const native: NativeLatin1 | null =
  typeof prototype?.latin1Write === "function" && typeof prototype.latin1Slice === "function"
    ? (prototype as NativeLatin1)
    : null;
