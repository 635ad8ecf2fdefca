// The head of a CGI program's answer, from bytes (RFC 3875 §6.2, §6.3). Does no I/O.
import { bytesToByteString } from "../bytes/byte-string.ts";
import { ByteQueue } from "../bytes/queue.ts";
import { isFieldValue, isToken } from "../headers/syntax.ts";
import { HeaderList } from "../model/headers.ts";
import { HeaderBlockError } from "./error.ts";

/** Limits and dialect of a HeaderBlockDecoder. */
export interface HeaderBlockOptions {
  /** Longest block in bytes (R-C17). @default 65_536 */
  maxBytes?: number;
  /** Most lines (R-C17). @default 200 */
  maxLines?: number;
  /** Whether the block starts with a status line, `HTTP/1.1 200 OK` (NPH, R-C11). @default false */
  nph?: boolean;
}

/** A complete block. */
export interface HeaderBlock {
  /** The fields as sent, `Status` among them (an NPH status line has become one). For `classifyBlock`. */
  readonly headers: HeaderList;
  /** First bytes of the body that came with the block; a view of the chunk. */
  readonly rest: Uint8Array;
}

/** Reads the header block of an answer: lines end in CRLF or LF, an empty one ends the block. */
export class HeaderBlockDecoder {
  readonly #queue = new ByteQueue();
  readonly #maxBytes: number;
  readonly #maxLines: number;
  readonly #flat: string[] = [];
  #nph: boolean;
  #bytes = 0;
  #lines = 0;

  constructor({ maxBytes = 65_536, maxLines = 200, nph = false }: HeaderBlockOptions = {}) {
    this.#maxBytes = maxBytes;
    this.#maxLines = maxLines;
    this.#nph = nph;
  }

  /**
   * Takes one chunk, of any size. Returns the block once it is complete, `null` before; feed no more after it.
   *
   * @throws HeaderBlockError `GW_CGI_BAD_LINE`, `GW_CGI_TOO_LARGE` (502): end the program.
   */
  feed(chunk: Uint8Array): HeaderBlock | null {
    this.#queue.push(chunk);
    for (;;) {
      const line = this.#queue.takeLine(this.#maxBytes - this.#bytes);
      if (line === null) {
        if (this.#queue.length >= this.#maxBytes - this.#bytes)
          throw new HeaderBlockError("GW_CGI_TOO_LARGE", `the header block is longer than ${this.#maxBytes} bytes`);
        return null;
      }
      this.#bytes += line.length;
      const text = bytesToByteString(line).replace(/\r?\n$/, "");
      if (text === "") return { headers: HeaderList.fromWire(this.#flat), rest: this.#queue.takeAll() };
      if (++this.#lines > this.#maxLines)
        throw new HeaderBlockError("GW_CGI_TOO_LARGE", `the header block has more than ${this.#maxLines} lines`);
      this.#readLine(text);
    }
  }

  /**
   * Call once when the program has closed its output before the block was complete.
   *
   * @throws HeaderBlockError always: `GW_CGI_NO_OUTPUT` if there was nothing at all, else `GW_CGI_CUT`.
   */
  end(): never {
    if (this.#bytes + this.#queue.length === 0)
      throw new HeaderBlockError("GW_CGI_NO_OUTPUT", "the program wrote nothing");
    throw new HeaderBlockError("GW_CGI_CUT", "the program ended inside its header block");
  }

  #readLine(line: string): void {
    if (this.#nph) {
      const match = /^HTTP\/1\.[01] ([0-9]{3}.*)$/.exec(line);
      if (match === null) throw badLine(line);
      this.#nph = false;
      this.#flat.push("Status", match[1] as string);
      return;
    }
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0));
    const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "");
    if (!isToken(name) || !isFieldValue(value)) throw badLine(line);
    this.#flat.push(name, value);
  }
}

function badLine(line: string): HeaderBlockError {
  return new HeaderBlockError("GW_CGI_BAD_LINE", `expected "Name: value", found ${JSON.stringify(line.slice(0, 80))}`);
}
