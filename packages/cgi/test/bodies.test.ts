import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { request, testRequest } from "@gw/core/testing";
import { expect } from "vitest";
import { cgiProgram } from "../src/index.ts";
import { isAlive } from "./processes.ts";
import { shellProgram, temporaryDirectory } from "./programs.ts";
import { type Exceptions, onEverySpawner } from "./spawners.ts";

const fcgiwrapCannot: Exceptions = [
  [/reaches the program byte for byte/, "hands over the whole body before it reads any output"],
  [/R-C15/, "hands over the whole body before it reads any output, and fails where the program takes none"],
  [/sends no more is neither waited for/, "ends no program: it neither passes a signal on nor notices that we left"],
  [/a body that breaks off/, "ends no program: it neither passes a signal on nor notices that we left"],
  [/100 MB stream through/, "hands over the whole body before it reads any output"],
];

onEverySpawner((spawner, { test }) => {
  const HEAD = String.raw`printf 'Content-Type: text/plain\n\n'`;
  const echo = cgiProgram({ spawner, command: shellProgram(`${HEAD}; cat`) });
  const variables = cgiProgram({
    spawner,
    command: shellProgram(
      `${HEAD}; echo "$CONTENT_LENGTH|$CONTENT_TYPE|$HTTP_TRANSFER_ENCODING|$HTTP_CONTENT_LENGTH"; wc -c`,
    ),
  });

  test("a body of known length reaches the program byte for byte", async () => {
    const body = new Uint8Array(300_000).map((_, at) => at);
    const answer = await request(echo, "/", { method: "POST", body });
    expect(Buffer.compare(answer.bytes, body)).toBe(0);
  });

  test("a request without a body gives the program an empty input and no CONTENT_LENGTH", async () => {
    expect((await request(variables)).text()).toBe("|||\n0\n");
  });

  test("R-C7: a body of unknown length is passed with its true CONTENT_LENGTH", async () => {
    async function* chunks(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < 200; at++) yield new Uint8Array(1_000).fill(at);
    }
    const answer = await request(variables, "/", {
      method: "POST",
      body: chunks(),
      headers: { "Content-Type": "application/x-mine", "Transfer-Encoding": "chunked" },
    });
    expect(answer.text()).toBe("200000|application/x-mine||\n200000\n");
  });

  test("R-C7: a body of unknown length over the limit is a 413, and no program starts", async () => {
    const mark = `${temporaryDirectory()}/started`;
    async function* chunks(): AsyncGenerator<Uint8Array> {
      for (;;) yield new Uint8Array(1_000);
    }
    const app = cgiProgram({ spawner, command: shellProgram(`touch ${mark}; ${HEAD}`) });
    const answer = await request(app, "/", { method: "POST", body: chunks(), maxBodyBytes: 100_000 });
    expect(answer.status).toBe(413);
    expect(existsSync(mark)).toBe(false);
  });

  test("R-H7: a body whose announced length is over the limit is a 413, and no program starts", async () => {
    const answer = await request(echo, "/", { method: "POST", body: new Uint8Array(2_000), maxBodyBytes: 1_000 });
    expect(answer.status).toBe(413);
  });

  test("a gzip body is passed as it is, with its HTTP_CONTENT_ENCODING", async () => {
    const body = gzipSync("hello, hello, hello");
    const app = cgiProgram({ spawner, command: shellProgram(`${HEAD}; echo $HTTP_CONTENT_ENCODING; gunzip`) });
    const answer = await request(app, "/", { method: "POST", body, headers: { "Content-Encoding": "gzip" } });
    expect(answer.text()).toBe("gzip\nhello, hello, hello");
  });

  test("R-C15: a program that leaves a large body unread gives its answer all the same", async () => {
    const app = cgiProgram({ spawner, command: shellProgram(`exec <&-; ${HEAD}; echo no thanks`) });
    const answer = await request(app, "/", { method: "POST", body: new Uint8Array(9_000_000) });
    expect([answer.text(), answer.outcome.result]).toEqual(["no thanks\n", "sent"]);
  });

  test("R-C15: a program that never reads its 100 MB gives its answer all the same", async () => {
    const app = cgiProgram({ spawner, command: shellProgram(`${HEAD}; echo not read`) });
    async function* chunks(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < 1_000; at++) yield new Uint8Array(100_000);
    }
    const body = { length: 100_000_000, replayable: false, [Symbol.asyncIterator]: chunks };
    const answer = await app.handle({ ...testRequest("/", { method: "POST", maxBodyBytes: 100_000_000 }), body });
    if (answer.kind !== "response") throw new TypeError("no response");
    const read: Uint8Array[] = [];
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) read.push(chunk);
    expect(Buffer.concat(read).toString()).toBe("not read\n");
  });

  test("R-C15: a program may answer while its body is still arriving", async () => {
    const app = cgiProgram({ spawner, command: shellProgram(`${HEAD}; echo early`) });
    let send: (chunk: Uint8Array) => void = () => {};
    const second = new Promise<Uint8Array>((done) => {
      send = done;
    });
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(10);
      yield await second;
    }
    const asked = testRequest("/", { method: "POST" });
    const body = { length: 20, replayable: false, [Symbol.asyncIterator]: slow };
    const answer = await app.handle({ ...asked, body });
    if (answer.kind !== "response") throw new TypeError("no response");
    const chunks: Uint8Array[] = [];
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe("early\n");
    send(new Uint8Array(10));
  });

  test("a client that sends no more is neither waited for nor asked, once the program is gone", async () => {
    // The program has answered and left a child behind that holds its output: the limit must end it, the client sends nothing.
    const app = cgiProgram({
      spawner,
      command: shellProgram(`sleep 60 & ${HEAD}; echo done`),
      timeoutMs: 200,
      stopTimeoutMs: 50,
    });
    let isReturned = false;
    const body = {
      length: 20,
      replayable: false,
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => {}),
        return: async () => {
          isReturned = true;
          return { done: true as const, value: undefined };
        },
      }),
    };
    const answer = await app.handle({ ...testRequest("/", { method: "POST" }), body });
    if (answer.kind !== "response") throw new TypeError("no response");
    const read = (async () => {
      for await (const _ of answer.body as AsyncIterable<Uint8Array>);
    })();
    await expect(read).rejects.toMatchObject({ code: "GW_CGI_TIMEOUT" });
    expect(isReturned).toBe(true);
  });

  test("a body that breaks off ends the program: it must not take the half for the whole", async () => {
    const directory = temporaryDirectory();
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(10);
      while (!existsSync(`${directory}/pid`)) await new Promise(setImmediate);
      throw new Error("connection reset");
    }
    const app = cgiProgram({
      spawner,
      command: shellProgram(`echo $$ > ${directory}/pid; cat; touch ${directory}/whole; ${HEAD}`),
    });
    const asked = testRequest("/", { method: "POST" });
    const body = { length: 20, replayable: false, [Symbol.asyncIterator]: broken };
    await expect(Promise.resolve(app.handle({ ...asked, body }))).rejects.toThrow("connection reset");
    await expect.poll(() => isAlive(Number(readFileSync(`${directory}/pid`, "utf8")))).toBe(false);
    expect(existsSync(`${directory}/whole`)).toBe(false);
  });

  test("100 MB stream through a program both ways, with little of it in the gateway at any time", async () => {
    const size = 100_000_000;
    const piece = new Uint8Array(100_000).map((_, at) => at * 7);
    const sum = createHash("sha256");
    let sent = 0;
    async function* chunks(): AsyncGenerator<Uint8Array> {
      for (; sent < size; sent += piece.length) {
        sum.update(piece);
        yield piece;
      }
    }
    const body = { length: size, replayable: false, [Symbol.asyncIterator]: chunks };
    const answer = await echo.handle({ ...testRequest("/", { method: "POST", maxBodyBytes: size }), body });
    if (answer.kind !== "response") throw new TypeError("no response");
    const echoed = createHash("sha256");
    let received = 0;
    let mostUnderWay = 0;
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      echoed.update(chunk);
      received += chunk.length;
      mostUnderWay = Math.max(mostUnderWay, sent - received);
    }
    expect(echoed.digest("hex")).toBe(sum.digest("hex"));
    expect(mostUnderWay).toBeLessThan(2_000_000);
  });
}, fcgiwrapCannot);
