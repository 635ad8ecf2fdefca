import * as zlib from "node:zlib";
import { compose, encodeText, http, json, memoryBody, readText, text } from "@gw/core";
import { request, testRequest } from "@gw/core/testing";
import { expect, test } from "vitest";
import { promisesMadeBy } from "../test/promises.ts";
import { decompress } from "./decompress.ts";

const said = "a line that repeats\n".repeat(1_000);
const echo = http(async (given) => {
  const names = ["content-encoding", "content-length"].filter((name) => given.headers.has(name));
  return json({ text: await readText(given), names });
});
const app = compose([decompress()], echo);
const post = (coding: string, body: Uint8Array, more: object = {}) =>
  request(app, "/", { method: "POST", headers: { "Content-Encoding": coding }, body, ...more });
const coders: [string, (text: string) => Uint8Array][] = [
  ["gzip", zlib.gzipSync],
  ["x-gzip", zlib.gzipSync],
  ["GZIP", zlib.gzipSync],
  ["deflate", zlib.deflateSync],
  ["br", zlib.brotliCompressSync],
];

test.each(coders)("%s: the app reads what was meant, and sees no trace of the coding", async (name, code) => {
  expect((await post(name, code(said))).json()).toEqual({ text: said, names: [] });
});

test("R-H16: the limit counts inflated bytes, also of a bomb", async () => {
  const bomb = zlib.gzipSync(Buffer.alloc(5_000_000));
  expect(bomb.length).toBeLessThan(10_000);
  expect((await post("gzip", bomb, { maxBodyBytes: 100_000 })).status).toBe(413);
  expect((await post("gzip", zlib.gzipSync(said), { maxBodyBytes: said.length })).status).toBe(200);
  expect((await post("gzip", zlib.gzipSync(said), { maxBodyBytes: said.length - 1 })).status).toBe(413);
});

test("R-H16: nothing is inflated without the layer", async () => {
  const coded = zlib.gzipSync(said);
  const bare = compose([], (given) => text(String(given.body.length)));
  const answer = await request(bare, "/", { method: "POST", headers: { "Content-Encoding": "gzip" }, body: coded });
  expect(answer.text()).toBe(String(coded.length));
});

test.each(["compress", "gzip, br", "aes128gcm"])("%j gets 415 with what is known", async (name) => {
  const answer = await post(name, encodeText("x"));
  expect(answer.status).toBe(415);
  expect(answer.headers.get("accept-encoding")).toMatch(/^gzip, deflate, br/);
});

test.each([
  ["bytes that are not gzip", encodeText("plain text")],
  ["a cut body", zlib.gzipSync(said).subarray(0, 40)],
])("%s fail with 400", async (_what, body) => {
  expect((await post("gzip", body)).status).toBe(400);
});

test("identity, and a request without a body, pass as they are", async () => {
  expect((await post("identity", encodeText(said))).json()).toMatchObject({ text: said });
  expect((await request(app, "/", { headers: { "Content-Encoding": "gzip" } })).status).toBe(200);
});

test("a body that can be read without waiting stays so, within the limit", async () => {
  const sync = compose(
    [decompress()],
    http((given) => {
      const read = given.body.readSync as (maxBytes: number) => Uint8Array;
      let length = 0;
      for (let part = read(1_000); part.length > 0; part = read(1_000)) length += part.length;
      return text(String(length));
    }),
  );
  const init = { method: "POST", headers: { "Content-Encoding": "gzip" } };
  const body = memoryBody(zlib.gzipSync(said));
  expect((await request(sync, "/", { ...init, body })).text()).toBe(String(said.length));
  const small = { ...init, body: memoryBody(zlib.gzipSync(said)), maxBodyBytes: 1_000 };
  expect((await request(sync, "/", small)).status).toBe(413);
  const broken = { ...init, body: memoryBody(encodeText("no gzip")) };
  expect((await request(sync, "/", broken)).status).toBe(400);
  const again = memoryBody(zlib.gzipSync(said));
  expect(promisesMadeBy(() => void sync.handle(testRequest("/", { ...init, body: again })))).toBe(0);
});
