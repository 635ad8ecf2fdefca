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
  const bytes = new Uint8Array(byteString.length);
  for (let at = 0; at < byteString.length; at++) bytes[at] = byteString.charCodeAt(at);
  return bytes;
}

const CHUNK = 8192; // arguments per call; engines limit them

/** Bytes → byte string. */
export function bytesToByteString(bytes: Uint8Array): string {
  if (bytes.length <= CHUNK) return String.fromCharCode(...bytes);
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK) text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return text;
}
