// A small load generator: kept connections, one request at a time on each, no parsing beyond counting bytes.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";

/** What to send. */
export interface LoadOptions {
  port: number;
  connections: number;
  requests: number;
  path?: string;
  /** Further header lines. */
  headers?: readonly string[];
  /** Gets the milliseconds of every request. */
  latencies?: number[];
}

/** Sends the requests and waits for all answers; gives seconds. */
export async function load(options: LoadOptions): Promise<number> {
  const { port, connections, requests, path = "/hello?name=world", latencies, headers = [] } = options;
  const request = Buffer.from(
    [
      `GET ${path} HTTP/1.1`,
      "Host: localhost",
      "User-Agent: bench",
      "Accept: */*",
      "Accept-Encoding: gzip, br",
      ...headers,
      "",
      "",
    ].join("\r\n"),
  );
  const answerBytes = await lengthOfAnswer(port, request);
  let left = requests;
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect(port, "127.0.0.1");
      socket.setNoDelay(true);
      await once(socket, "connect");
      await new Promise<void>((resolve, reject) => {
        let received = 0;
        let sent = 0;
        const next = (): void => {
          if (left <= 0) return resolve();
          left--;
          received = 0;
          sent = performance.now();
          socket.write(request);
        };
        socket.on("data", (chunk) => {
          received += chunk.length;
          if (received < answerBytes) return;
          latencies?.push(performance.now() - sent);
          next();
        });
        socket.on("error", reject);
        socket.on("close", () => reject(new Error("the server closed a connection")));
        next();
      });
      socket.removeAllListeners("close");
      socket.destroy();
    }),
  );
  return (performance.now() - begun) / 1_000;
}

async function lengthOfAnswer(port: number, request: Buffer): Promise<number> {
  const socket = connect(port, "127.0.0.1");
  socket.write(request);
  let read = "";
  for await (const chunk of socket) {
    read += (chunk as Buffer).toString("latin1");
    const end = read.indexOf("\r\n\r\n");
    const length = Number(/\ncontent-length: (\d+)/i.exec(read)?.[1] ?? Number.NaN);
    if (end >= 0 && !read.startsWith("HTTP/1.1 200")) throw new Error(`not answered with 200: ${read}`);
    if (end >= 0 && Number.isNaN(length)) throw new Error(`an answer without a length: ${read}`);
    if (end >= 0 && read.length >= end + 4 + length) return end + 4 + length;
  }
  throw new Error("no answer");
}

const TICKS_PER_SECOND = 100;

/** CPU seconds that a process and its threads have used (Linux). */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
