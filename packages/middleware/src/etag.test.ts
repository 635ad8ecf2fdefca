import { accept, compose, type HttpResponse, text } from "@gw/core";
import { openSocket, request, testRequest } from "@gw/core/testing";
import { expect, test } from "vitest";
import { promisesMadeBy } from "../test/promises.ts";
import { conditionalGet } from "./conditional-get.ts";
import { type EtagOptions, etag, etagOf } from "./etag.ts";

const appOf = (options: EtagOptions = {}, answer: HttpResponse = text("page")) =>
  compose([conditionalGet(), etag(options)], () => answer);

test("a 200 gets a tag of its bytes: the same for the same, another for others", async () => {
  const tag = (await request(appOf())).headers.get("etag");
  expect(tag).toMatch(/^"[A-Za-z0-9_-]{27}"$/);
  expect(tag).toBe(etagOf(new TextEncoder().encode("page")));
  expect((await request(appOf({}, text("other")))).headers.get("etag")).not.toBe(tag);
  expect((await request(appOf({ weak: true }))).headers.get("etag")).toBe(`W/${tag}`);
});

test.each<[string, HttpResponse, EtagOptions, string | null]>([
  ["a tag of the app", text("page", { headers: { ETag: '"own"' } }), {}, '"own"'],
  ["an answer that must not be stored", text("page", { headers: { "Cache-Control": "private, no-store" } }), {}, null],
  ["an error", text("page", { status: 404 }), {}, null],
  ["a long body", text("page"), { maxBytes: 3 }, null],
  ["a stream", { ...text(""), body: [new Uint8Array(1)] }, {}, null],
])("%s stays as it is", async (_what, answer, options, expected) => {
  expect((await request(appOf(options, answer))).headers.get("etag")).toBe(expected);
});

test("the client that has it gets 304, without a body and what describes one", async () => {
  const tag = (await request(appOf())).headers.get("etag") ?? "";
  const answer = await request(appOf(), "/", { headers: { "If-None-Match": `"x", ${tag}` } });
  expect(answer.status).toBe(304);
  expect(answer.headers.toJSON()).toEqual([["ETag", tag]]);
});

test("a POST gets no tag; sockets pass; no promise is made", async () => {
  expect((await request(appOf(), "/", { method: "POST" })).headers.has("etag")).toBe(false);
  const socket = await openSocket(compose([etag()], () => accept(async () => {})));
  expect(socket.response).toBe(null);
  await socket.ended;
  const app = appOf();
  expect(promisesMadeBy(() => void app.handle(testRequest("/", { headers: { "If-None-Match": '"x"' } })))).toBe(0);
});

test("with streams, a body that comes piece by piece gets the tag of its bytes, and is closed once", async () => {
  let closed = 0;
  const pieces = (bodies: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): HttpResponse => ({
    ...text(""),
    body: bodies,
    close: () => void closed++,
  });
  async function* slow(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("pa");
    yield Buffer.from("ge");
  }
  const whole = await request(appOf({ streams: true }, pieces(slow())));
  expect([whole.text(), whole.headers.get("etag"), closed]).toEqual(["page", etagOf(Buffer.from("page")), 1]);
  const list = await request(appOf({ streams: true }, pieces([Buffer.from("page")])));
  expect([list.headers.get("etag"), closed]).toEqual([etagOf(Buffer.from("page")), 2]);
  const long = await request(appOf({ streams: true, maxBytes: 3 }, pieces(slow())));
  expect([long.text(), long.headers.get("etag"), closed]).toEqual(["page", null, 3]);
});

test("a held body that fails is an error before the head; events are never held", async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("pa");
    throw new Error("half way");
  }
  const failed = await request(appOf({ streams: true }, { ...text(""), body: broken() }));
  expect(failed.status).toBe(500);
  const events: HttpResponse = { ...text(""), body: [Buffer.from("data: 1\n\n")] };
  const headers = events.headers.with("Content-Type", "text/event-stream");
  expect((await request(appOf({ streams: true }, { ...events, headers }))).headers.has("etag")).toBe(false);
});
