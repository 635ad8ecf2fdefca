// Methods that every Buffer has and its published types leave out: without the option parsing of `toString` and `write`.

/** A Buffer with them. */
export interface NativeBuffer extends Buffer {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
  latin1Write(text: string, at: number): number;
  utf8Write(text: string, at: number): number;
  subarray(start?: number, end?: number): NativeBuffer;
}

/** A new buffer; its bytes are whatever was there. */
export function allocate(bytes: number): NativeBuffer {
  return Buffer.allocUnsafe(bytes) as unknown as NativeBuffer;
}

/** The same bytes as a buffer, not a copy. */
export function viewOf({ buffer, byteOffset, length }: Uint8Array): NativeBuffer {
  return Buffer.from(buffer, byteOffset, length) as unknown as NativeBuffer;
}
