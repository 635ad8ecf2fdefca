// A load generator for HTTP fronts that may fail: kept connections, one request at a time on each, every answer checked and counted.
import { connect, type Socket } from "node:net";

/** What to send. */
export interface FrontLoad {
  readonly port: number;
  readonly connections: number;
  readonly requests: number;
  readonly path: string;
  /** Bytes of the request body. @default 0: a GET */
  readonly bodyBytes?: number;
  /** Bytes of a right answer's body. */
  readonly answerBytes: number;
  /** Longest wait for an answer, milliseconds; then it failed. @default 5_000 */
  readonly timeoutMs?: number;
}

/** What came of it. */
export interface FrontResult {
  readonly failed: number;
  readonly seconds: number;
}

/** Sends the requests; one that fails costs its connection, and the next one gets a new one. */
export async function loadFront(options: FrontLoad): Promise<FrontResult> {
  const request = requestBytes(options);
  const ends = { left: options.requests, failed: 0 };
  const begun = performance.now();
  await Promise.all(Array.from({ length: options.connections }, () => client(request, options, ends)));
  return { failed: ends.failed, seconds: (performance.now() - begun) / 1_000 };
}

async function client(request: Buffer, options: FrontLoad, ends: { left: number; failed: number }): Promise<void> {
  let socket: Socket | null = null;
  while (ends.left-- > 0) {
    socket ??= connect({ port: options.port, host: "127.0.0.1", noDelay: true });
    if (await exchange(socket, request, options)) continue;
    ends.failed++;
    socket.destroy();
    socket = null;
  }
  socket?.destroy();
}

/** One request; whether its answer came whole, with status 200, and the connection is kept. */
function exchange(socket: Socket, request: Buffer, options: FrontLoad): Promise<boolean> {
  const { answerBytes, timeoutMs = 5_000 } = options;
  return new Promise((resolve) => {
    let head = "";
    let missing = Number.POSITIVE_INFINITY;
    const done = (isRight: boolean): void => {
      clearTimeout(late);
      socket.removeAllListeners();
      socket.on("error", () => {});
      resolve(isRight);
    };
    const late = setTimeout(() => done(false), timeoutMs);
    socket.on("data", (chunk: Buffer) => {
      if (missing === Number.POSITIVE_INFINITY) {
        const before = head.length;
        head += chunk.toString("latin1", 0, MAX_HEAD_BYTES);
        const end = head.indexOf("\r\n\r\n");
        if (end < 0) return head.length > MAX_HEAD_BYTES ? done(false) : undefined;
        if (!isExpected(head.slice(0, end + 2), answerBytes)) return done(false);
        missing = answerBytes - (before + chunk.length - end - 4);
      } else missing -= chunk.length;
      if (missing <= 0) done(missing === 0);
    });
    socket.on("error", () => done(false));
    socket.on("close", () => done(false));
    socket.write(request);
  });
}

const MAX_HEAD_BYTES = 16_384;

function isExpected(head: string, answerBytes: number): boolean {
  const length = /\ncontent-length: *(\d+)\r\n/i.exec(head)?.[1];
  return head.startsWith("HTTP/1.1 200") && Number(length) === answerBytes;
}

function requestBytes({ path, bodyBytes = 0 }: FrontLoad): Buffer {
  const body = [`Content-Type: application/octet-stream`, `Content-Length: ${bodyBytes}`];
  const lines = [
    `${bodyBytes > 0 ? "POST" : "GET"} ${path} HTTP/1.1`,
    "Host: localhost",
    "User-Agent: bench",
    "Accept: */*",
    "Accept-Encoding: gzip, br",
    ...(bodyBytes > 0 ? body : []),
  ];
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), Buffer.alloc(bodyBytes, "x")]);
}
