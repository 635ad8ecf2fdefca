import { expect, test } from "vitest";
import { encodeText } from "../bytes/byte-string.ts";
import type { RequestBody } from "../model/body.ts";
import { emptyBody } from "../model/body.ts";
import { GatewayError } from "../model/errors.ts";
import { HeaderList } from "../model/headers.ts";
import { isPromise } from "../pipeline/and-then.ts";
import { text } from "../pipeline/answers.ts";
import { createContext } from "../pipeline/context.ts";
import { OpenExchange } from "../pipeline/exchange.ts";
import { Runtime } from "../pipeline/runtime.ts";
import { testRequest } from "../testing/builders.ts";
import { bufferBody, memoryBody, type Spool, type SpoolStore } from "./buffer.ts";
import { incomingBody } from "./incoming.ts";
import { readText } from "./readers.ts";

/** A spool in memory that remembers what happened to it. */
class FakeSpool implements Spool, SpoolStore {
  bytes = new Uint8Array(0);
  writes = 0;
  closed = 0;
  opened = 0;

  open(): this {
    this.opened++;
    return this;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.writes++;
    const next = new Uint8Array(this.bytes.length + chunk.length);
    next.set(this.bytes);
    next.set(chunk, this.bytes.length);
    this.bytes = next;
  }

  readSync(position: number, maxBytes: number): Uint8Array {
    return this.bytes.subarray(position, position + maxBytes);
  }

  async read(position: number, maxBytes: number): Promise<Uint8Array> {
    return this.readSync(position, maxBytes);
  }

  close(): void {
    this.closed++;
  }
}

async function textOf(body: RequestBody): Promise<string> {
  let all = "";
  for await (const chunk of body) all += new TextDecoder().decode(chunk);
  return all;
}

function textSync(body: RequestBody, maxBytes: number): string {
  let all = "";
  for (;;) {
    const chunk = body.readSync?.(maxBytes) as Uint8Array;
    if (chunk.length === 0) return all;
    expect(chunk.length).toBeLessThanOrEqual(maxBytes);
    all += new TextDecoder().decode(chunk);
  }
}

const chunked = (...chunks: string[]) => chunks.map(encodeText);

test("a request without a body comes back at once, the same object", () => {
  const request = testRequest("/", { body: emptyBody });
  expect(bufferBody(request)).toBe(request);
});

test("a buffered body is not buffered again", async () => {
  const once = await bufferBody(testRequest("/", { method: "POST", body: "abc" }));
  expect(bufferBody(once)).toBe(once);
});

test("R-C7: a chunked body gets its true length, can be read again and again, and synchronously", async () => {
  const request = await bufferBody(testRequest("/", { method: "POST", body: chunked("ab", "cd", "e") }));
  expect(request.body.length).toBe(5);
  expect(request.body.replayable).toBe(true);
  expect(await textOf(request.body)).toBe("abcde");
  expect(await textOf(request.body)).toBe("abcde");
  expect(textSync(request.body, 2)).toBe("abcde");
});

test("R-C7: beyond the memory limit the body goes to the spool, whole and in order", async () => {
  const spool = new FakeSpool();
  const request = await bufferBody(testRequest("/", { method: "POST", body: chunked("ab", "cd", "ef") }), {
    maxMemoryBytes: 3,
    spool,
  });
  expect(spool.opened).toBe(1);
  expect(new TextDecoder().decode(spool.bytes)).toBe("abcdef");
  expect(request.body.length).toBe(6);
  expect(await textOf(request.body)).toBe("abcdef");
  expect(await textOf(request.body)).toBe("abcdef");
  expect(textSync(request.body, 4)).toBe("abcdef");
});

test("a body that fits into memory opens no spool", async () => {
  const spool = new FakeSpool();
  const request = await bufferBody(testRequest("/", { method: "POST", body: chunked("abc") }), {
    maxMemoryBytes: 3,
    spool,
  });
  expect(await textOf(request.body)).toBe("abc");
  expect(spool.opened).toBe(0);
});

test("the spool is closed when the exchange ends, once", async () => {
  const spool = new FakeSpool();
  const exchange = new OpenExchange(new Runtime(() => text(""), { context: createContext() }));
  await bufferBody(testRequest("/", { method: "POST", body: "abcd", exchange }), { maxMemoryBytes: 1, spool });
  expect(spool.closed).toBe(0);
  exchange.end({ status: 200, bytesSent: 0, result: "sent", error: null });
  expect(spool.closed).toBe(1);
});

test("R-C7: past the body limit reading stops with 413 and the spool is gone", async () => {
  const spool = new FakeSpool();
  const request = testRequest("/", { method: "POST", body: chunked("abc", "def"), maxBodyBytes: 5 });
  await expect(bufferBody(request, { maxMemoryBytes: 1, spool })).rejects.toMatchObject({ code: "GW_BODY_TOO_LARGE" });
  expect(spool.closed).toBe(1);
});

test("R-O8: a spool that is full fails the request, and is closed", async () => {
  const full = new GatewayError("GW_SPOOL_FULL", 507, "no space");
  const spool = new FakeSpool();
  spool.write = () => Promise.reject(full);
  const request = testRequest("/", { method: "POST", body: "abcd" });
  await expect(bufferBody(request, { maxMemoryBytes: 1, spool })).rejects.toBe(full);
  expect(spool.closed).toBe(1);
});

test("a spool that lost bytes does not pass for a whole body", async () => {
  const spool = new FakeSpool();
  const request = await bufferBody(testRequest("/", { method: "POST", body: "abcd" }), { maxMemoryBytes: 1, spool });
  spool.bytes = spool.bytes.slice(0, 2);
  await expect(textOf(request.body)).rejects.toMatchObject({ code: "GW_BODY_CUT" });
});

test("a body with readSync is buffered without a promise", () => {
  const rest = [...chunked("ab", "c"), new Uint8Array(0)];
  const base = testRequest("/", { method: "POST" });
  const body = incomingBody({
    length: 3,
    exchange: base.exchange,
    open: () => {
      throw new Error("async");
    },
    readSync: () => rest.shift() as Uint8Array,
  });
  const request = bufferBody({ ...base, body });
  if (isPromise(request)) throw new Error("it waits");
  expect(textSync(request.body, 10)).toBe("abc");
});

test("trailers stay with the body", async () => {
  const trailers = HeaderList.from({ "X-Sum": "1" });
  const base = testRequest("/", { method: "POST" });
  const body = incomingBody({
    length: null,
    exchange: base.exchange,
    async *open() {
      yield encodeText("a");
    },
    trailers: async () => trailers,
  });
  const request = await bufferBody({ ...base, body });
  expect(await request.body.trailers?.()).toBe(trailers);
});

test("memoryBody reads at least one byte when asked for none, so that loops end", () => {
  expect(memoryBody(encodeText("ab")).readSync?.(0)).toEqual(encodeText("a"));
});

test("a replayable body is read whole by each reader, whatever has been read of it before", async () => {
  const spool = new FakeSpool();
  for (const options of [{}, { maxMemoryBytes: 1, spool }]) {
    const { body, ...rest } = await bufferBody(
      testRequest("/", { method: "POST", body: chunked("ab", "cd") }),
      options,
    );
    body.readSync?.(3);
    const request = { ...rest, body };
    expect(readText(request)).toBe("abcd");
    expect(readText(request)).toBe("abcd");
    expect(textSync(body, 9)).toBe("d");
  }
});
