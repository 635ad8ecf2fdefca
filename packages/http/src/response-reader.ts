// Reads the messages that node:http's server writes: heads, bodies in every framing, trailers. Does no I/O.
//
// For answers of a server in this process, so what is malformed is a bug of its app, not an attack.
import { bytesToByteString, GatewayError, HeaderList, isBodilessStatus } from "@gw/core";

/** What was read. `end` comes once, last. */
export type ResponseEvent =
  | { readonly type: "head"; readonly status: number; readonly headers: HeaderList }
  | { readonly type: "data"; readonly bytes: Uint8Array }
  | { readonly type: "end"; readonly trailers: HeaderList | null };

/** How the body is framed: by nothing, by its length, in chunks, by the end of the connection. */
type Framing = "none" | "length" | "chunked" | "close";

/** Turns the bytes of one exchange into events; heads of 1xx answers come before the one that counts. */
export class ResponseReader {
  readonly #isHead: boolean;
  #pending: Buffer = Buffer.alloc(0);
  #state: "head" | "body" | "chunk-size" | "chunk-data" | "chunk-end" | "trailers" | "done" = "head";
  #framing: Framing = "close";
  /** Bytes left of the body or of the chunk. */
  #left = 0;

  /** @param isHead whether the request was HEAD: then there is no body, whatever the head says */
  constructor(isHead: boolean) {
    this.#isHead = isHead;
  }

  /** Whether the message is complete. */
  get isDone(): boolean {
    return this.#state === "done";
  }

  /** Takes one chunk, of any size, and returns every event it completes. */
  feed(chunk: Uint8Array): ResponseEvent[] {
    this.#pending =
      this.#pending.length === 0
        ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
        : Buffer.concat([this.#pending, chunk]);
    const events: ResponseEvent[] = [];
    while (this.#state !== "done" && this.#step(events));
    return events;
  }

  /** The connection has ended. @throws GatewayError `GW_HTTP_ANSWER_CUT` if it ended inside the message. */
  end(): ResponseEvent[] {
    if (this.#state === "done") return [];
    if (this.#state !== "body" || this.#framing !== "close") {
      throw new GatewayError("GW_HTTP_ANSWER_CUT", 502, "the node handler ended inside its answer");
    }
    this.#state = "done";
    return [{ type: "end", trailers: null }];
  }

  /** One step; false when more bytes are needed. */
  #step(events: ResponseEvent[]): boolean {
    if (this.#state === "head") return this.#readHead(events);
    if (this.#state === "body") return this.#readBody(events);
    if (this.#state === "chunk-data") return this.#readChunkData(events);
    if (this.#state === "trailers") return this.#readTrailers(events);
    const line = this.#takeUntil("\r\n");
    if (line === null) return false;
    if (this.#state === "chunk-end") this.#state = "chunk-size";
    else {
      this.#left = Number.parseInt(line, 16);
      this.#state = this.#left === 0 ? "trailers" : "chunk-data";
    }
    return true;
  }

  #readHead(events: ResponseEvent[]): boolean {
    const head = this.#takeUntil("\r\n\r\n");
    if (head === null) return false;
    const [line = "", ...lines] = head.split("\r\n");
    const status = Number(line.slice("HTTP/1.1 ".length, "HTTP/1.1 ".length + 3));
    const headers = fieldsOf(lines);
    events.push({ type: "head", status, headers });
    if (status >= 100 && status < 200) return true;
    this.#begin(status, headers);
    if (this.#framing === "none" || (this.#framing === "length" && this.#left === 0)) this.#finish(events, null);
    return true;
  }

  #begin(status: number, headers: HeaderList): void {
    const length = headers.get("content-length");
    if (this.#isHead || isBodilessStatus(status)) this.#framing = "none";
    else if (headers.get("transfer-encoding")?.toLowerCase() === "chunked") this.#framing = "chunked";
    else if (length !== null) {
      this.#framing = "length";
      this.#left = Number(length);
    }
    this.#state = this.#framing === "chunked" ? "chunk-size" : "body";
  }

  #readBody(events: ResponseEvent[]): boolean {
    const most = this.#framing === "length" ? this.#left : this.#pending.length;
    const bytes = this.#take(most);
    if (bytes.length > 0) events.push({ type: "data", bytes });
    if (this.#framing === "length") {
      this.#left -= bytes.length;
      if (this.#left === 0) this.#finish(events, null);
    }
    return false;
  }

  #readChunkData(events: ResponseEvent[]): boolean {
    const bytes = this.#take(this.#left);
    if (bytes.length === 0) return false;
    events.push({ type: "data", bytes });
    this.#left -= bytes.length;
    if (this.#left === 0) this.#state = "chunk-end";
    return true;
  }

  #readTrailers(events: ResponseEvent[]): boolean {
    if (this.#pending.subarray(0, 2).equals(LINE_END)) {
      this.#take(2);
      this.#finish(events, null);
      return true;
    }
    const lines = this.#takeUntil("\r\n\r\n");
    if (lines === null) return false;
    this.#finish(events, fieldsOf(lines.split("\r\n")));
    return true;
  }

  #finish(events: ResponseEvent[], trailers: HeaderList | null): void {
    this.#state = "done";
    events.push({ type: "end", trailers });
  }

  #take(most: number): Uint8Array {
    const bytes = this.#pending.subarray(0, most);
    this.#pending = this.#pending.subarray(bytes.length);
    return bytes;
  }

  #takeUntil(mark: string): string | null {
    const end = this.#pending.indexOf(mark, 0, "latin1");
    if (end === -1) return null;
    const text = bytesToByteString(this.#pending.subarray(0, end));
    this.#pending = this.#pending.subarray(end + mark.length);
    return text;
  }
}

const LINE_END = Buffer.from("\r\n");

function fieldsOf(lines: readonly string[]): HeaderList {
  return HeaderList.fromWire(
    lines.flatMap((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).replace(/^[ \t]+/, "")];
    }),
  );
}
