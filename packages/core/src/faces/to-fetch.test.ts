import { Hono } from "hono";
import { expect, test, vi } from "vitest";
import { readText } from "../body/readers.ts";
import { encodeText } from "../bytes/byte-string.ts";
import { HeaderList } from "../model/headers.ts";
import type { Outcome } from "../model/request.ts";
import type { HttpResponse } from "../model/response.ts";
import { text } from "../pipeline/answers.ts";
import { gateway } from "../pipeline/gateway.ts";
import { accept, http } from "../pipeline/kinds.ts";
import { bodySource } from "../testing/body-source.ts";
import { fromFetch } from "./from-fetch.ts";
import { toFetch } from "./to-fetch.ts";

test("asks the app what the Request asks", async () => {
  const fetch = toFetch(
    http(async (request) =>
      text(
        JSON.stringify({
          method: request.method,
          path: request.path,
          query: request.query,
          host: request.headers.get("host"),
          server: request.server,
          scheme: request.scheme,
          length: request.body.length,
          body: await readText(request),
        }),
      ),
    ),
  );
  const answer = await fetch(
    new Request("https://example.com:8443/a%20b/../c?x=1", {
      method: "POST",
      body: "안",
      headers: { "Content-Length": "3" },
    }),
  );
  expect(await answer.json()).toEqual({
    method: "POST",
    path: "/c",
    query: "x=1",
    host: "example.com:8443",
    server: { host: "example.com", port: 8443 },
    scheme: "https",
    length: 3,
    body: "안",
  });
});

test("R-H18: identity headers of the Request do not reach the app", async () => {
  const fetch = toFetch((request) => text(String(request.headers.has("remote-user"))));
  const answer = await fetch(new Request("http://x/", { headers: { "Remote-User": "root" } }));
  expect(await answer.text()).toBe("false");
});

test("status, fields, Set-Cookie lines and body come back", async () => {
  const headers = [
    ["Set-Cookie", "a=1"],
    ["Set-Cookie", "b=2"],
    ["X-A", "\u00e9"],
  ] as const;
  const answer = await toFetch(() => text("안", { status: 201, headers }))(new Request("http://x/"));
  expect(answer.status).toBe(201);
  expect(answer.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  expect(answer.headers.get("x-a")).toBe("\u00e9");
  expect(await answer.text()).toBe("안");
});

test.each([
  ["HEAD", 200],
  ["GET", 204],
  ["GET", 304],
])("%s answered %i has no body, and the answer is closed", async (method, status) => {
  const close = vi.fn();
  const app = http(() => ({ kind: "response", status, headers: HeaderList.empty, body: [], close }));
  const answer = await toFetch(app)(new Request("http://x/", { method }));
  expect(answer.body).toBe(null);
  expect(close).toHaveBeenCalledTimes(1);
});

function streaming(body: HttpResponse["body"], outcomes: Outcome[], close: () => void = () => {}) {
  return toFetch((request) => {
    request.exchange.onEnd((outcome) => void outcomes.push(outcome));
    return { kind: "response", status: 200, headers: HeaderList.empty, body, close };
  });
}

test("the body is asked for chunk by chunk, as the reader reads", async () => {
  const outcomes: Outcome[] = [];
  const source = bodySource();
  const answer = await streaming(source.body, outcomes)(new Request("http://x/"));
  expect(source.asked).toBe(0);
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  const first = reader.read();
  source.push(encodeText("ab"));
  expect((await first).value).toEqual(encodeText("ab"));
  await new Promise((resolve) => setImmediate(resolve));
  expect(source.asked).toBe(1);
  const second = reader.read();
  source.end();
  expect((await second).done).toBe(true);
  expect(outcomes).toEqual([{ status: 200, bytesSent: 2, result: "sent", error: null }]);
});

test("a reader that cancels stops the body and ends the exchange as gone, before or while reading", async () => {
  const outcomes: Outcome[] = [];
  const close = vi.fn();
  const source = bodySource();
  const answer = await streaming(source.body, outcomes, close)(new Request("http://x/"));
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  void reader.read();
  await source.whenAsked();
  await reader.cancel();
  expect(source.isReturned).toBe(true);
  const unread = await streaming([], outcomes, close)(new Request("http://x/"));
  await unread.body?.cancel();
  expect(outcomes.map(({ result }) => result)).toEqual(["gone", "gone"]);
  expect(close).toHaveBeenCalledTimes(2);
});

test("R-W5: a body that breaks errors the stream, and the exchange is cut", async () => {
  const outcomes: Outcome[] = [];
  const body = (async function* () {
    yield encodeText("half");
    throw new Error("broken");
  })();
  const answer = await streaming(body, outcomes)(new Request("http://x/"));
  await expect(answer.text()).rejects.toThrow("broken");
  expect(outcomes).toMatchObject([{ result: "cut", bytesSent: 4 }]);
});

test("an aborted Request stops the body", async () => {
  const outcomes: Outcome[] = [];
  const client = new AbortController();
  const source = bodySource();
  const answer = await streaming(source.body, outcomes)(new Request("http://x/", { signal: client.signal }));
  const reading = answer.text();
  await source.whenAsked();
  client.abort();
  await expect(reading).rejects.toThrow();
  await source.returned;
  expect(outcomes).toMatchObject([{ result: "gone", error: null }]);
});

test("R-H7: the body limit holds, also when it is set here", async () => {
  const fetch = toFetch(
    http(async (request) => text(await readText(request))),
    { maxBodyBytes: 2 },
  );
  expect((await fetch(new Request("http://x/", { method: "POST", body: "abc" }))).status).toBe(413);
});

test("R-H5: a head that cannot be sent becomes a 500; so does an accepted socket", async () => {
  const headers = HeaderList.from({ "X-A": "a\nb" });
  expect((await toFetch(() => text("", { headers }))(new Request("http://x/"))).status).toBe(500);
  expect((await toFetch(() => accept(async () => {}))(new Request("http://x/"))).status).toBe(500);
});

test("the app starts at the first request, once; a failed start is tried again; close stops it", async () => {
  const start = vi.fn().mockRejectedValueOnce(new Error("down")).mockResolvedValue(undefined);
  const stop = vi.fn();
  const fetch = toFetch({ start, stop, handle: () => text("ok") });
  expect(start).not.toHaveBeenCalled();
  await expect(fetch(new Request("http://x/"))).rejects.toThrow("down");
  await Promise.all([fetch(new Request("http://x/")), fetch(new Request("http://x/"))]);
  expect(start).toHaveBeenCalledTimes(2);
  await fetch.close();
  await fetch.close();
  expect(stop).toHaveBeenCalledTimes(1);
});

test("there and back: a Hono app, as an app, as a fetch handler, mounted in Hono", async () => {
  const inner = new Hono().post("/echo", async (c) => c.text(await c.req.text(), 201));
  const fetch = toFetch(gateway().mount("/in", fromFetch(inner)));
  const outer = new Hono().all("/in/*", (c) => fetch(c.req.raw));
  const answer = await outer.request("/in/echo", { method: "POST", body: "x".repeat(200_000) });
  expect(answer.status).toBe(201);
  expect((await answer.text()).length).toBe(200_000);
});
