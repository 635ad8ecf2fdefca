// The head of a program's answer, from bytes (RFC 3875 §6.2, §6.3). Does no I/O.
import { bytesToByteString } from "../bytes/byte-string.ts";
import { ByteQueue } from "../bytes/queue.ts";
import { isFieldValue, isToken, trimBlanks } from "../headers/syntax.ts";
import { HeaderList } from "../model/headers.ts";
import { HeaderBlockError } from "./error.ts";

/** Limits and dialect of a HeaderBlockDecoder. */
export interface HeaderBlockOptions {
  /** Longest block in bytes, its empty line included (R-C17). @default 65_536 */
  maxBytes?: number;
  /** Most header lines (R-C17). @default 200 */
  maxLines?: number;
  /** Whether the block starts with a status line of HTTP, `HTTP/1.1 200 OK`: the output of an nph- program (§5, R-C11). @default false */
  nph?: boolean;
}

/** A complete block. */
export interface HeaderBlock {
  /** The fields as sent, `Status` among them; an NPH status line has become one. For `classifyBlock`. */
  readonly headers: HeaderList;
  /** Bytes of the body that came with the block; a view of what was fed. */
  readonly rest: Uint8Array;
}

/**
 * Reads the header block of one answer.
 *
 * Lines end in CRLF or LF, an empty one ends the block. Folded lines, NUL, a bare CR, blanks before the colon and all
 * other doubt are errors (R-C9). Holds at most `maxBytes` and the rest of one chunk.
 */
export class HeaderBlockDecoder {
  readonly #queue: ByteQueue = new ByteQueue();
  readonly #maxBytes: number;
  readonly #maxLines: number;
  readonly #nph: boolean;
  readonly #flat: string[] = [];
  /** Lines read, the status line of NPH included. */
  #lines = 0;
  /** Bytes of complete lines. */
  #bytes = 0;
  #isComplete = false;

  constructor({ maxBytes = 65_536, maxLines = 200, nph = false }: HeaderBlockOptions = {}) {
    this.#maxBytes = maxBytes;
    this.#maxLines = maxLines;
    this.#nph = nph;
  }

  /**
   * Takes one chunk, of any size. Returns the block with the chunk that completes it, `null` before. What comes after is body: not for here.
   *
   * @throws HeaderBlockError (502) `GW_CGI_BAD_LINE`, `GW_CGI_BAD_STATUS`, `GW_CGI_FRAMING`, `GW_CGI_TOO_LARGE`: nothing
   *   more of the answer can be used, so end the program.
   */
  feed(chunk: Uint8Array): HeaderBlock | null {
    if (this.#isComplete) throw new HeaderBlockError("GW_CGI_FRAMING", "the header block is complete already");
    this.#queue.push(chunk);
    for (;;) {
      const line = this.#nextLine();
      if (line === null) return null;
      if (line === "") {
        this.#isComplete = true;
        return { headers: HeaderList.fromWire(this.#flat), rest: this.#queue.takeAll() };
      }
      if (++this.#lines > this.#maxLines) throw tooLarge(`${this.#maxLines} lines`);
      if (this.#nph && this.#lines === 1) this.#readStatusLine(line);
      else this.#readField(line);
    }
  }

  /**
   * Call once if the program's output ends before the block is complete.
   *
   * @throws HeaderBlockError (502) always: `GW_CGI_NO_OUTPUT` if there was nothing at all, else `GW_CGI_CUT`.
   */
  end(): never {
    if (this.#bytes + this.#queue.length === 0)
      throw new HeaderBlockError("GW_CGI_NO_OUTPUT", "the program wrote nothing");
    throw new HeaderBlockError("GW_CGI_CUT", "the output ended inside the header block");
  }

  /** A complete line without its end; `null`: not there yet. */
  #nextLine(): string | null {
    const left = this.#maxBytes - this.#bytes;
    const line = this.#queue.takeLine(left);
    if (line === null) {
      if (this.#queue.length >= left) throw tooLarge(`${this.#maxBytes} bytes`);
      return null;
    }
    this.#bytes += line.length;
    // Cut as a string: each view of bytes costs as much as the reading of a line.
    const text = bytesToByteString(line);
    return text.slice(0, text.endsWith("\r\n") ? -2 : -1);
  }

  #readStatusLine(line: string): void {
    const match = STATUS_LINE.exec(line);
    if (match === null) {
      throw new HeaderBlockError("GW_CGI_BAD_STATUS", `expected "HTTP/1.1 200 OK", found ${quote(line)}`);
    }
    this.#flat.push("Status", (match[1] as string).trimEnd());
  }

  #readField(line: string): void {
    const colon = line.indexOf(":");
    const name = colon === -1 ? "" : line.slice(0, colon);
    const value = trimBlanks(line, colon + 1);
    if (!isToken(name) || !isFieldValue(value)) {
      throw new HeaderBlockError("GW_CGI_BAD_LINE", `expected "Name: value", found ${quote(line)}`);
    }
    if (this.#nph && name.toLowerCase() === "transfer-encoding") {
      // Such a program frames its body itself, which we do not undo; others only name a framing that is ours to choose.
      throw new HeaderBlockError("GW_CGI_FRAMING", "an NPH program may not use Transfer-Encoding here");
    }
    this.#flat.push(name, value);
  }
}

const STATUS_LINE = /^HTTP\/1\.[01] ([0-9]{3}(?: [\t\u0020-\u007e\u0080-\u00ff]*)?)$/;

function tooLarge(limit: string): HeaderBlockError {
  return new HeaderBlockError("GW_CGI_TOO_LARGE", `the header block has more than ${limit}`);
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
