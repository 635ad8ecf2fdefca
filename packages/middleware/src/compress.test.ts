import * as zlib from "node:zlib";
import { accept, compose, encodeText, type HttpResponse, json, text } from "@gw/core";
import { openSocket, request, testRequest } from "@gw/core/testing";
import { describe, expect, test, vi } from "vitest";
import { promisesMadeBy } from "../test/promises.ts";
import { type CompressOptions, compress, isCompressible } from "./compress.ts";

const long = "a line of text that repeats itself\n".repeat(200);
const appOf = (answer: HttpResponse = text(long), options?: CompressOptions) =>
  compose([compress(options)], () => answer);
const send = (
  answer?: HttpResponse,
  accepted = "gzip",
  options?: CompressOptions,
  headers: Record<string, string> = {},
) => request(appOf(answer, options), "/", { headers: { "Accept-Encoding": accepted, ...headers } });
const inflate: Record<string, (bytes: Uint8Array) => Uint8Array> = {
  gzip: zlib.gunzipSync,
  br: zlib.brotliDecompressSync,
  ...("zstdDecompressSync" in zlib && {
    zstd: (zlib as unknown as { zstdDecompressSync: (b: Uint8Array) => Uint8Array }).zstdDecompressSync,
  }),
};
const plain = (coding: string, bytes: Uint8Array) => Buffer.from(inflate[coding]?.(bytes) ?? []).toString();
const parts = [long, "x", long, ""].map((part) => encodeText(part));
const live = async function* () {
  yield* parts;
};

describe.each(Object.keys(inflate))("%s", (coding) => {
  test("codes bytes and streams so that the client reads what was sent", async () => {
    const bytes = await send(text(long), coding);
    expect(bytes.headers.get("content-encoding")).toBe(coding);
    expect(bytes.bytes.length).toBeLessThan(long.length / 4);
    expect(plain(coding, bytes.bytes)).toBe(long);
    const stream = await send({ ...text(""), body: live() }, coding);
    expect(plain(coding, stream.bytes)).toBe(`${long}x${long}`);
  });

  test("a stream's chunk can be read before the next one is made", async () => {
    const seen: number[] = [];
    let sent = 0;
    const body = (async function* () {
      for (const part of [long, "second"]) {
        seen.push(sent);
        yield encodeText(part);
      }
    })();
    await request(appOf({ ...text(""), body }), "/", {
      headers: { "Accept-Encoding": coding },
      onChunk: (chunk) => {
        sent += chunk.length;
      },
    });
    expect(seen[1]).toBeGreaterThan(10);
  });
});

test("bodies of sync apps, and long bytes, are coded in pieces without a promise", async () => {
  const pieces = await send({ ...text(""), body: parts });
  expect(plain("gzip", pieces.bytes)).toBe(`${long}x${long}`);
  const empty = await send({ ...text(""), body: [] });
  expect(plain("gzip", empty.bytes)).toBe("");
  const huge = long.repeat(50);
  const coded = await send(text(huge));
  expect(plain("gzip", coded.bytes)).toBe(huge);
  expect((await send(text(huge), "br")).headers.has("content-encoding")).toBe(false);
  const app = appOf();
  const headers = { "Accept-Encoding": "br" };
  expect(promisesMadeBy(() => void app.handle(testRequest("/", { headers })))).toBe(0);
});

test("the client's weights decide, then our order", async () => {
  const of = async (accepted: string, options?: CompressOptions) =>
    (await send(text(long), accepted, options)).headers.get("content-encoding");
  expect(await of("gzip, br")).toBe("br");
  expect(await of("gzip, br;q=0.5")).toBe("gzip");
  expect(await of("br;q=0")).toBe(null);
  expect(await of("deflate")).toBe(null);
  expect(await of("br, gzip", { codings: ["gzip"] })).toBe("gzip");
});

const withFields = (headers: Record<string, string>) => text(long, { headers });

test.each<[string, HttpResponse, Record<string, string>]>([
  ["an answer that is coded already", withFields({ "Content-Encoding": "br" }), {}],
  ["no-transform of the app", withFields({ "Cache-Control": "public, no-transform" }), {}],
  ["no-transform of the client", text(long), { "Cache-Control": "no-transform" }],
  ["a part of a file", { ...withFields({ "Content-Range": "bytes 0-6/7" }), status: 206 }, {}],
  ["an answer that sets a cookie", withFields({ "Set-Cookie": "a=1" }), {}],
  ["a digest of the bytes", withFields({ "Repr-Digest": "sha-256=:x:" }), {}],
  ["a picture", withFields({ "Content-Type": "image/png" }), {}],
  ["a short body", text("short"), {}],
  ["what cannot get shorter", text("", { headers: { "Content-Type": "text/plain" } }), {}],
])("R-H19: leaves alone %s", async (_what, answer, headers) => {
  const sent = await send(answer, "gzip", {}, headers);
  expect(sent.headers.get("content-encoding")).toBe(answer.headers.get("content-encoding"));
  expect(sent.bytes).toEqual(answer.body);
});

test("R-H19: Vary says so, whether or not this client takes codings", async () => {
  expect((await send(text(long), "")).headers.get("vary")).toBe("Accept-Encoding");
  expect((await send(withFields({ Vary: "Accept" }))).headers.get("vary")).toBe("Accept, Accept-Encoding");
  expect((await send(withFields({ "Content-Type": "image/png" }))).headers.has("vary")).toBe(false);
});

test("R-H19: lengths and ranges of the old bytes go, a strong tag becomes weak", async () => {
  const { headers } = await send(
    withFields({ "Content-Length": String(long.length), "Accept-Ranges": "bytes", ETag: '"a"' }),
  );
  expect([headers.get("etag"), headers.has("content-length"), headers.has("accept-ranges")]).toEqual([
    'W/"a"',
    false,
    false,
  ]);
  expect((await send(withFields({ ETag: 'W/"a"' }))).headers.get("etag")).toBe('W/"a"');
});

test("answers that set cookies are compressed where that is wanted", async () => {
  const sent = await send(withFields({ "Set-Cookie": "a=1" }), "gzip", { withCookies: true });
  expect(sent.headers.get("content-encoding")).toBe("gzip");
});

test("an error of a stream cuts the answer, stopping early stops the source, close runs once", async () => {
  const close = vi.fn();
  const broken = (async function* () {
    yield encodeText(long);
    throw new Error("broken");
  })();
  const cut = await send({ ...text(""), body: broken, close });
  expect(cut.outcome.result).toBe("cut");
  expect(close).toHaveBeenCalledTimes(1);
  const stopped = vi.fn();
  const endless = (async function* () {
    try {
      for (;;) yield encodeText(long);
    } finally {
      stopped();
    }
  })();
  const client = new AbortController();
  const gone = await request(appOf({ ...text(""), body: endless }), "/", {
    headers: { "Accept-Encoding": "gzip" },
    signal: client.signal,
    onChunk: () => client.abort(new Error("gone")),
  });
  expect(gone.outcome.result).toBe("gone");
  expect(stopped).toHaveBeenCalledTimes(1);
});

test.each([
  ["text/html", true],
  ["application/json", true],
  ["application/problem+json", true],
  ["image/svg+xml", true],
  ["application/wasm", true],
  ["image/jpeg", false],
  ["application/zip", false],
  ["", false],
])("%j is worth it: %j", (type, expected) => {
  expect(isCompressible(type)).toBe(expected);
});

test("sockets pass", async () => {
  const socket = await openSocket(compose([compress()], () => accept(async () => {})));
  expect(socket.response).toBe(null);
  await socket.ended;
  expect((await send(json({ long }))).headers.get("content-encoding")).toBe("gzip");
});
