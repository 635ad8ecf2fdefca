// Programs behind a FastCGI server at an address: what such a server cannot do is refused, and its faults are ours to name.
import { createServer, type Socket } from "node:net";
import { createContext } from "@gw/core";
import { request } from "@gw/core/testing";
import { RecordDecoder, writeEndRequest, writeRecord } from "@gw/fastcgi/codec";
import { describe, expect, onTestFinished, test } from "vitest";
import { cgiBin, cgiProgram } from "../src/index.ts";
import { shellProgram, temporaryDirectory, writePrograms } from "./programs.ts";

const STDIN = 5;
const STDOUT = 6;
const STDERR = 7;

/** A FastCGI server that does with each connection what the test says, once a request has come whole. */
async function server(answer: (socket: Socket) => void): Promise<`fastcgi:unix:${string}`> {
  const path = `${temporaryDirectory()}/s`;
  const sockets = new Set<Socket>();
  const listening = createServer((socket) => {
    const decoder = new RecordDecoder();
    sockets.add(socket.on("error", () => {}));
    socket.on("data", (chunk) => {
      const parts = [...decoder.feed(chunk)];
      if (parts.some(({ type, content, isLast }) => type === STDIN && isLast && content.length === 0)) answer(socket);
    });
  }).listen(path);
  await new Promise((done) => listening.once("listening", done));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    listening.close();
  });
  return `fastcgi:unix:${path}`;
}

const text = (type: number, value: string): Uint8Array => writeRecord(type, 1, Buffer.from(value));
const HEAD = "Content-Type: text/plain\n\n";
const command = shellProgram("exit 1");

describe("a server at an address", () => {
  test("its status is the program's exit code: R-C19 holds behind servers that tell it", async () => {
    for (const [status, result] of [
      [0, "sent"],
      [3, "cut"],
    ] as const) {
      const spawner = await server((socket) => {
        socket.write(text(STDOUT, `${HEAD}half`));
        socket.write(writeEndRequest(1, status, "complete"));
      });
      const answer = await request(cgiProgram({ command, spawner }));
      expect([answer.text(), answer.outcome.result]).toEqual(["half", result]);
    }
  });

  test("R-C19: a connection that ends in mid-answer is an answer that is cut", async () => {
    const spawner = await server((socket) => socket.end(text(STDOUT, `${HEAD}half`)));
    const answer = await request(cgiProgram({ command, spawner }));
    expect([answer.status, answer.text(), answer.outcome.result]).toEqual([200, "half", "cut"]);
  });

  test("R-C19: one that is silent is a 504 at the header's limit, and the connection is closed", async () => {
    let isClosed = false;
    const spawner = await server((socket) => void socket.once("close", () => (isClosed = true)));
    const answer = await request(cgiProgram({ command, spawner, headerTimeoutMs: 50 }));
    expect(answer.status).toBe(504);
    await expect.poll(() => isClosed).toBe(true);
  });

  test("records that make no sense are a 502", async () => {
    const spawner = await server((socket) => socket.end("HTTP/1.1 200 OK\r\n\r\n"));
    expect((await request(cgiProgram({ command, spawner }))).status).toBe(502);
  });

  test("R-C21: one that is overloaded is a 503 with Retry-After", async () => {
    const spawner = await server((socket) => socket.write(writeEndRequest(1, 0, "overloaded")));
    const answer = await request(cgiProgram({ command, spawner }));
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
  });

  test("R-C16: FCGI_STDERR goes to the log", async () => {
    const lines: string[] = [];
    const spawner = await server((socket) => {
      socket.write(text(STDERR, "something odd\n"));
      socket.write(text(STDOUT, `${HEAD}fine`));
      socket.write(writeEndRequest(1, 0, "complete"));
    });
    const context = createContext();
    const log = { ...context.log, child: () => log, warn: (_: unknown, line = "") => void lines.push(line) };
    const answer = await request(cgiProgram({ command, spawner }), "/", { context: { ...context, log } });
    expect([answer.text(), lines]).toEqual(["fine", ["something odd"]]);
  });

  test("nobody there is a 502", async () => {
    const spawner = `fastcgi:unix:${temporaryDirectory()}/none` as const;
    expect((await request(cgiProgram({ command, spawner }))).status).toBe(502);
  });
});

describe("what such a server cannot do is refused at the start", () => {
  const spawner = "fastcgi:127.0.0.1:9" as const;

  test.each([{ nice: 3 }, { cwd: "/" }, { queryArguments: true }])("%o", async (options) => {
    await expect(request(cgiProgram({ command, spawner, ...options }))).rejects.toMatchObject({
      code: "GW_CGI_OPTION",
      message: expect.stringContaining("executable files in their own directory"),
    });
  });

  test("arguments and interpreters, once a program needs them", async () => {
    const root = writePrograms(temporaryDirectory(), { "a.pl": "print 1" });
    const app = cgiBin({ root, spawner, interpreters: { ".pl": "/usr/bin/perl" } });
    expect((await request(app, "/a.pl")).status).toBe(500);
    expect((await request(cgiProgram({ command, args: ["a"], spawner }))).status).toBe(500);
  });

  test.each(["fastcgi:", "fastcgi:here", "fastcgi:unix:", "fastcgi:host:99999"] as const)(
    "an address that is none: %s",
    (address) => {
      expect(() => cgiProgram({ command, spawner: address })).toThrow(/fastcgi:unix:\/path or fastcgi:host:port/);
    },
  );
});
