// A raw FastCGI load generator: nothing of ours in it but the writing of parameters.
import { connect, type Socket } from "node:net";
import { writeParams } from "@gw/fastcgi/codec";

/** What to send, and how. */
export interface FastcgiLoad {
  socket: string;
  connections: number;
  requests: number;
  keepConnection: boolean;
  query?: string;
  /** Bytes of the request body. @default 0 */
  bodyBytes?: number;
  /** Bytes of the answer's body; an answer with another number failed. */
  answerBytes: number;
}

const HEADER = 8;

/** Sends the requests; gives how many failed. */
export async function loadFastcgi(options: FastcgiLoad): Promise<number> {
  const request = requestBytes(options);
  const ends = { left: options.requests, failed: 0 };
  await Promise.all(Array.from({ length: options.connections }, () => client(request, options, ends)));
  return ends.failed;
}

async function client(request: Buffer, options: FastcgiLoad, ends: { left: number; failed: number }): Promise<void> {
  let socket: Socket | null = null;
  while (ends.left-- > 0) {
    socket ??= connect(options.socket);
    const isWhole = await exchange(socket, request, options);
    if (!isWhole) ends.failed++;
    if (isWhole && options.keepConnection) continue;
    socket.destroy();
    socket = null;
  }
  socket?.destroy();
}

/** One request; whether its answer came whole. */
function exchange(socket: Socket, request: Buffer, { answerBytes }: FastcgiLoad): Promise<boolean> {
  return new Promise((resolve) => {
    const reader = new AnswerReader();
    const done = (isWhole: boolean): void => {
      socket.removeAllListeners();
      socket.on("error", () => {});
      resolve(isWhole);
    };
    socket.on("data", (chunk) => {
      if (reader.feed(chunk as Buffer)) done(reader.bodyBytes === answerBytes);
    });
    socket.on("error", () => done(false));
    socket.on("close", () => done(false));
    socket.write(request);
  });
}

/** Counts the bytes of an answer's body. */
class AnswerReader {
  bodyBytes = -1;
  readonly #header: Buffer = Buffer.alloc(HEADER);
  #have = 0;
  #content = 0;
  #padding = 0;
  #head = "";

  /** Whether FCGI_END_REQUEST has come whole. */
  feed(chunk: Buffer): boolean {
    for (let at = 0; at < chunk.length; ) {
      if (this.#have < HEADER) {
        const count = Math.min(HEADER - this.#have, chunk.length - at);
        chunk.copy(this.#header, this.#have, at, at + count);
        this.#have += count;
        at += count;
        if (this.#have < HEADER) return false;
        this.#content = this.#header.readUInt16BE(4);
        this.#padding = this.#header[6] as number;
      } else if (this.#content > 0) {
        const end = Math.min(chunk.length, at + this.#content);
        if (this.#header[1] === 6) this.#take(chunk, at, end);
        this.#content -= end - at;
        at = end;
      } else {
        const count = Math.min(this.#padding, chunk.length - at);
        this.#padding -= count;
        at += count;
      }
      if (this.#have === HEADER && this.#content === 0 && this.#padding === 0) {
        this.#have = 0;
        if (this.#header[1] === 3) return true;
      }
    }
    return false;
  }

  #take(chunk: Buffer, from: number, to: number): void {
    if (this.bodyBytes >= 0) {
      this.bodyBytes += to - from;
      return;
    }
    this.#head += chunk.toString("latin1", from, to);
    const end = this.#head.indexOf("\r\n\r\n");
    if (end >= 0) this.bodyBytes = this.#head.length - end - 4;
  }
}

function requestBytes({ query = "", bodyBytes = 0, keepConnection }: FastcgiLoad): Buffer {
  const params = writeParams(
    Object.entries({
      GATEWAY_INTERFACE: "CGI/1.1",
      REQUEST_METHOD: bodyBytes > 0 ? "POST" : "GET",
      SCRIPT_FILENAME: "/srv/www/app",
      SCRIPT_NAME: "",
      PATH_INFO: "/hello",
      REQUEST_URI: `/hello${query === "" ? "" : `?${query}`}`,
      DOCUMENT_URI: "/hello",
      DOCUMENT_ROOT: "/srv/www",
      QUERY_STRING: query,
      CONTENT_TYPE: bodyBytes > 0 ? "application/octet-stream" : "",
      CONTENT_LENGTH: bodyBytes > 0 ? String(bodyBytes) : "",
      SERVER_PROTOCOL: "HTTP/1.1",
      SERVER_SOFTWARE: "bench",
      REQUEST_SCHEME: "http",
      REMOTE_ADDR: "127.0.0.1",
      REMOTE_PORT: "40000",
      SERVER_ADDR: "127.0.0.1",
      SERVER_PORT: "80",
      SERVER_NAME: "localhost",
      REDIRECT_STATUS: "200",
      HTTP_HOST: "localhost",
      HTTP_USER_AGENT: "bench",
      HTTP_ACCEPT: "*/*",
      HTTP_ACCEPT_ENCODING: "gzip, br",
    }),
  );
  const body = Buffer.alloc(bodyBytes, "x");
  const slices: Buffer[] = [];
  for (let at = 0; at < bodyBytes; at += 32_768) slices.push(record(5, body.subarray(at, at + 32_768)));
  const begin = Buffer.from([0, 1, keepConnection ? 1 : 0, 0, 0, 0, 0, 0]);
  const none = Buffer.alloc(0);
  return Buffer.concat([record(1, begin), record(4, Buffer.from(params)), record(4, none), ...slices, record(5, none)]);
}

function record(type: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([1, type, 0, 1, content.length >> 8, content.length & 255, 0, 0]), content]);
}
