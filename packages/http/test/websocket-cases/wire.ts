// An open WebSocket whose bytes are written by hand, over HTTP/1.1 and over HTTP/2 (RFC 8441).
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTcp } from "node:net";
import type { Duplex } from "node:stream";
import type { RunningServer } from "../../src/index.ts";
import { FrameReader, type ServerFrame } from "./frames.ts";

/** The client's end of an open WebSocket. */
export class Wire {
  /** Frames received, in order. */
  readonly frames: ServerFrame[] = [];
  /** The extensions agreed on; `null`: none. */
  readonly extensions: string | null;
  isEnded = false;
  readonly #stream: Duplex;
  readonly #destroy: () => void;
  readonly #reader = new FrameReader();
  #wake: (() => void)[] = [];

  constructor(stream: Duplex, extensions: string | null, destroy: () => void) {
    this.#stream = stream;
    this.#destroy = destroy;
    this.extensions = extensions;
    stream.on("data", (chunk: Buffer) => {
      this.frames.push(...this.#reader.feed(chunk));
      this.#look();
    });
    for (const event of ["end", "close", "error"]) stream.on(event, () => this.#end());
    stream.on("drain", () => this.#look());
  }

  /** Writes, and lets the bytes go before more are written. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#stream.destroyed || this.#stream.writableEnded) return;
    if (this.#stream.write(bytes)) await new Promise((resolve) => setImmediate(resolve));
    else while (!this.isEnded && this.#stream.writableNeedDrain) await this.#news();
  }

  /** Settles once the frames match, or the server has ended. */
  async until(isDone: (frames: readonly ServerFrame[]) => boolean): Promise<void> {
    while (!this.isEnded && !isDone(this.frames)) await this.#news();
  }

  #news(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  /** Ends our side. */
  end(): void {
    this.#stream.end();
  }

  /** Reads nothing more. */
  pause(): void {
    this.#stream.pause();
  }

  destroy(): void {
    this.#destroy();
  }

  #end(): void {
    this.isEnded = true;
    this.#look();
  }

  #look(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** Opens a WebSocket. */
export type OpenWire = (server: Pick<RunningServer, "url">, extensions?: string, path?: string) => Promise<Wire>;

/** Over an HTTP/1.1 upgrade. */
export const overHttp1: OpenWire = async (server, extensions, path = "/") => {
  const socket = connectTcp({ port: Number(new URL(server.url).port), host: "127.0.0.1", noDelay: true });
  const offer = extensions === undefined ? "" : `Sec-WebSocket-Extensions: ${extensions}\r\n`;
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n${offer}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  );
  let head = "";
  while (!head.endsWith("\r\n\r\n")) {
    // One byte at a time: what follows the head is the socket's.
    const byte: Buffer | null = socket.read(1);
    if (byte === null) await once(socket, "readable");
    else head += byte.toString("latin1");
  }
  if (!head.startsWith("HTTP/1.1 101 ")) throw new Error(head);
  const agreed = /^sec-websocket-extensions: (.*)\r$/im.exec(head)?.[1] ?? null;
  return new Wire(socket, agreed, () => socket.destroy());
};

/** Over an HTTP/2 extended CONNECT. */
export const overHttp2: OpenWire = async (server, extensions, path = "/") => {
  const session = connectHttp2(server.url);
  session.on("error", () => {});
  await once(session, "remoteSettings");
  const stream = session.request(
    {
      ":method": "CONNECT",
      ":protocol": "websocket",
      ":scheme": "http",
      ":path": path,
      "sec-websocket-version": "13",
      ...(extensions === undefined ? {} : { "sec-websocket-extensions": extensions }),
    },
    { endStream: false },
  );
  stream.on("error", () => {});
  const [headers] = await once(stream, "response");
  if (headers[":status"] !== 200) throw new Error(`status ${headers[":status"]}`);
  return new Wire(stream, headers["sec-websocket-extensions"] ?? null, () => session.destroy());
};
