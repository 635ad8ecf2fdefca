// A byte tunnel over an HTTP/2 stream, as the `ws` package expects a socket (RFC 8441 §5).
import type { OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { Duplex } from "node:stream";
import { HeaderList } from "@gw/core";
import { toFields } from "./http2-head.ts";

/** Fields of the HTTP/1.1 opening that have no meaning on a stream. */
const HTTP1_ONLY = new Set(["upgrade", "connection", "sec-websocket-accept"]);

/**
 * The stream as a socket. `ws` first writes the head of a 101: here it becomes a 200 that opens the tunnel; the rest
 * is frames. Node's own stream rules carry ends, errors and back-pressure through.
 */
export class Http2Tunnel extends Duplex {
  readonly #stream: ServerHttp2Stream;
  #isOpen = false;

  constructor(stream: ServerHttp2Stream) {
    super({ allowHalfOpen: true });
    this.#stream = stream;
    stream.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) stream.pause();
    });
    stream.on("end", () => this.push(null));
    stream.on("close", () => this.destroy());
    stream.pause();
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#isOpen) {
      this.#stream.write(chunk, done);
      return;
    }
    this.#isOpen = true;
    this.#stream.respond(fieldsOf(chunk.toString("latin1")));
    done();
  }

  override _writev(chunks: { chunk: Buffer; encoding: BufferEncoding }[], done: (error?: Error | null) => void): void {
    // Only what follows the opening is ever written in numbers.
    const stream = this.#stream;
    const last = chunks.length - 1;
    stream.cork();
    chunks.forEach(({ chunk }, index) => void stream.write(chunk, index === last ? done : undefined));
    stream.uncork();
  }

  override _final(done: () => void): void {
    this.#stream.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#stream.close();
    done(error);
  }
}

function fieldsOf(head: string): OutgoingHttpHeaders {
  const pairs = head
    .split("\r\n")
    .slice(1)
    .filter((line) => line !== "")
    .map(pairOf);
  return {
    ":status": 200,
    ...toFields(HeaderList.from(pairs.filter(([name]) => !HTTP1_ONLY.has(name.toLowerCase())))),
  };
}

function pairOf(line: string): [name: string, value: string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}
