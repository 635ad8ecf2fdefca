// wsgi.input: a file-like reader over a body that can be read synchronously.
import { GatewayError, type RequestBody } from "@gw/core";
import { joinChunks } from "./chunks.ts";
import type { WsgiInputStream } from "./types.ts";

const READ_BYTES = 65_536;
const LINE_FEED = 0x0a;
const EMPTY: Uint8Array = new Uint8Array(0);

/**
 * The request body as PEP 3333 wants it ("Input and Error Streams").
 *
 * Reads nothing before it is asked to. At the end, and past it, every method
 * gives empty bytes.
 */
export class WsgiInput implements WsgiInputStream {
  readonly #body: RequestBody;
  /** Read from the body, not yet given out. */
  #held: Uint8Array = EMPTY;
  #isAtEnd: boolean;

  constructor(body: RequestBody) {
    this.#body = body;
    this.#isAtEnd = body.length === 0;
  }

  read(size?: number): Uint8Array {
    const wanted = limitOf(size);
    const chunks: Uint8Array[] = [];
    let length = 0;
    while (length < wanted && this.#fill(wanted - length)) {
      const chunk = this.#take(Math.min(this.#held.length, wanted - length));
      chunks.push(chunk);
      length += chunk.length;
    }
    return joinChunks(chunks);
  }

  read1(size?: number): Uint8Array {
    const wanted = limitOf(size);
    return wanted > 0 && this.#fill(wanted) ? this.#take(Math.min(this.#held.length, wanted)) : EMPTY;
  }

  readline(size?: number): Uint8Array {
    const wanted = limitOf(size);
    const chunks: Uint8Array[] = [];
    let length = 0;
    while (length < wanted && this.#fill(READ_BYTES)) {
      const lineEnd = this.#held.indexOf(LINE_FEED);
      const available = lineEnd === -1 ? this.#held.length : lineEnd + 1;
      const chunk = this.#take(Math.min(available, wanted - length));
      chunks.push(chunk);
      length += chunk.length;
      if (chunk.at(-1) === LINE_FEED) break;
    }
    return joinChunks(chunks);
  }

  readlines(hint?: number): Uint8Array[] {
    const enough = hint === undefined || hint <= 0 ? Number.POSITIVE_INFINITY : hint;
    const lines: Uint8Array[] = [];
    let length = 0;
    for (const line of this) {
      lines.push(line);
      length += line.length;
      if (length >= enough) break;
    }
    return lines;
  }

  *[Symbol.iterator](): Generator<Uint8Array> {
    for (let line = this.readline(); line.length > 0; line = this.readline()) yield line;
  }

  /** Makes sure that something is held; false at the end. */
  #fill(atMost: number): boolean {
    if (this.#held.length > 0) return true;
    if (this.#isAtEnd) return false;
    if (this.#body.readSync === undefined) {
      throw new GatewayError(
        "GW_WSGI_INPUT",
        500,
        "wsgi.input needs a body that can be read synchronously: bufferBody() makes one",
      );
    }
    this.#held = this.#body.readSync(Math.min(atMost, READ_BYTES));
    this.#isAtEnd = this.#held.length === 0;
    return !this.#isAtEnd;
  }

  #take(bytes: number): Uint8Array {
    const taken = this.#held.subarray(0, bytes);
    this.#held = this.#held.subarray(bytes);
    return taken;
  }
}

/** Python's convention: absent, null or negative means everything. */
function limitOf(size: number | null | undefined): number {
  return size === undefined || size === null || size < 0 ? Number.POSITIVE_INFINITY : size;
}
