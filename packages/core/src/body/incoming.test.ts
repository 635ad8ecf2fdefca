import { expect, test } from "vitest";
import { encodeText } from "../bytes/byte-string.ts";
import { GatewayError } from "../model/errors.ts";
import { HeaderList } from "../model/headers.ts";
import { bodySource } from "../testing/body-source.ts";
import { type IncomingBodyOptions, incomingBody } from "./incoming.ts";

function bodyOf(chunks: readonly string[], options: Partial<IncomingBodyOptions> = {}) {
  return incomingBody({
    length: null,
    exchange: { maxBodyBytes: 10 },
    async *open() {
      for (const chunk of chunks) yield encodeText(chunk);
    },
    ...options,
  });
}

async function readAll(body: AsyncIterable<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of body) text += new TextDecoder().decode(chunk);
  return text;
}

test("gives the chunks of the source, opened at the first read only", async () => {
  let opened = 0;
  const body = incomingBody({
    length: null,
    exchange: { maxBodyBytes: 10 },
    async *open() {
      opened++;
      yield encodeText("ab");
      yield encodeText("c");
    },
  });
  const iterator = body[Symbol.asyncIterator]();
  expect(opened).toBe(0);
  expect((await iterator.next()).value).toEqual(encodeText("ab"));
  expect(opened).toBe(1);
});

test("a second reading throws GW_BODY_USED", async () => {
  const body = bodyOf(["a"]);
  expect(body.replayable).toBe(false);
  expect(await readAll(body)).toBe("a");
  await expect(readAll(body)).rejects.toMatchObject({ code: "GW_BODY_USED", status: 500 });
});

test("R-H7: an announced length beyond the limit throws 413 at the first read, before the source is opened", async () => {
  const body = bodyOf(["x"], {
    length: 11,
    open: () => {
      throw new Error("opened");
    },
  });
  await expect(readAll(body)).rejects.toMatchObject({ code: "GW_BODY_TOO_LARGE", status: 413 });
});

test("R-H7: a chunked body beyond the limit throws 413 at the chunk that passes it, and lets the source go", async () => {
  const source = bodySource();
  const iterator = incomingBody({ length: null, exchange: { maxBodyBytes: 3 }, open: () => source.body })[
    Symbol.asyncIterator
  ]();
  source.push(encodeText("abc"));
  source.push(encodeText("d"));
  expect((await iterator.next()).value).toEqual(encodeText("abc"));
  await expect(iterator.next()).rejects.toMatchObject({ code: "GW_BODY_TOO_LARGE" });
  await source.returned;
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
});

test("R-H7: the limit counts as it is at the first read, whoever raised it", async () => {
  const exchange = { maxBodyBytes: 1 };
  const body = bodyOf(["abc"], { exchange });
  exchange.maxBodyBytes = 3;
  expect(await readAll(body)).toBe("abc");
});

test.each([
  ["short", ["ab"], 3],
  ["long", ["abcd"], 3],
])("a body that is too %s for its announced length is cut: GW_BODY_CUT", async (_, chunks, length) => {
  await expect(readAll(bodyOf(chunks, { length }))).rejects.toMatchObject({ code: "GW_BODY_CUT", status: 400 });
});

test("an error of the source becomes GW_BODY_CUT with its cause; a GatewayError stays what it is", async () => {
  const cause = new Error("ECONNRESET");
  const broken = (error: unknown) =>
    bodyOf([], {
      // biome-ignore lint/correctness/useYield: it fails before its first chunk
      async *open() {
        throw error;
      },
    });
  await expect(readAll(broken(cause))).rejects.toMatchObject({ code: "GW_BODY_CUT", cause });
  const own = new GatewayError("GW_TEST", 408, "too slow");
  await expect(readAll(broken(own))).rejects.toBe(own);
});

test("stopping early returns the source's iterator", async () => {
  const source = bodySource();
  const body = incomingBody({ length: null, exchange: { maxBodyBytes: 10 }, open: () => source.body });
  source.push(encodeText("a"));
  for await (const _ of body) break;
  expect(source.isReturned).toBe(true);
});

test("reads synchronously where the carrier can, under the same checks", () => {
  const chunks = [encodeText("ab"), encodeText("cd"), new Uint8Array(0)];
  const body = bodyOf([], { length: 4, readSync: () => chunks.shift() as Uint8Array });
  expect(body.readSync?.(2)).toEqual(encodeText("ab"));
  expect(body.readSync?.(2)).toEqual(encodeText("cd"));
  expect(body.readSync?.(2)).toEqual(new Uint8Array(0));
  expect(() => body[Symbol.asyncIterator]()).toThrow(expect.objectContaining({ code: "GW_BODY_USED" }));
});

test("a synchronous read notices a body that ends early or passes the limit", () => {
  const early = bodyOf([], { length: 4, readSync: () => new Uint8Array(0) });
  expect(() => early.readSync?.(2)).toThrow(expect.objectContaining({ code: "GW_BODY_CUT" }));
  const large = bodyOf([], { readSync: () => new Uint8Array(11) });
  expect(() => large.readSync?.(20)).toThrow(expect.objectContaining({ code: "GW_BODY_TOO_LARGE" }));
});

test("a body of length 0 is the empty body, readable any number of times", async () => {
  const body = bodyOf([], { length: 0 });
  expect(body.replayable).toBe(true);
  expect(await readAll(body)).toBe("");
  expect(await readAll(body)).toBe("");
  expect(body.readSync?.(1)).toEqual(new Uint8Array(0));
});

test("trailers pass through; a body has none of its own", async () => {
  const trailers = HeaderList.from({ "X-Sum": "1" });
  expect(await bodyOf([], { trailers: async () => trailers }).trailers?.()).toBe(trailers);
  expect("trailers" in bodyOf(["a"])).toBe(false);
  expect("readSync" in bodyOf(["a"])).toBe(false);
});
