// (req, res) functions and Express apps as handlers, in memory and over HTTP.
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import {
  type AppSource,
  gateway,
  type HttpRequest,
  type HttpResponse,
  isGatewayError,
  layer,
  withPrincipal,
} from "@gw/core";
import { request, testRequest } from "@gw/core/testing";
import express from "express";
import { afterEach, expect, test } from "vitest";
import { fromNodeHandler, type RunningServer, requestOf, serve } from "../src/index.ts";

const servers: RunningServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function listen(app: AppSource): Promise<string> {
  const server = serve(app, { bind: "127.0.0.1:0", idleGraceMs: 0 });
  servers.push(server);
  await server.ready;
  return server.url;
}

test("gives the function real objects, and sends what it writes", async () => {
  let seen: object | null = null;
  const app = fromNodeHandler((req, res) => {
    seen = {
      method: req.method,
      url: req.url,
      version: req.httpVersion,
      host: req.headers.host,
      lines: req.rawHeaders.filter((text) => text.toLowerCase() === "x-twice").length,
      twice: req.headers["x-twice"],
      remote: req.socket.remoteAddress,
    };
    res.setHeader("Set-Cookie", ["a=1", "b=2"]);
    res.writeHead(201, { "X-A": "1" });
    res.end("made");
  });
  const url = await listen(app);
  const response = await fetch(`${url}/a%20b?c=d`, {
    headers: [
      ["X-Twice", "1"],
      ["X-Twice", "2"],
    ],
  });
  expect([response.status, await response.text()]).toEqual([201, "made"]);
  expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  expect(response.headers.get("content-length")).toBe("4");
  expect(seen).toEqual({
    method: "GET",
    url: "/a%20b?c=d",
    version: "1.1",
    host: new URL(url).host,
    lines: 1,
    twice: "1, 2",
    remote: "127.0.0.1",
  });
});

test("streams both ways, at the pace of both ends", async () => {
  const app = fromNodeHandler((req, res) => {
    req.pipe(res.writeHead(200));
  });
  const sent = Buffer.alloc(3_000_000, "0123456789");
  const known = await request(app, "/", { method: "POST", body: sent });
  expect(Buffer.from(known.bytes).equals(sent)).toBe(true);
  const url = await listen(app);
  const stream = new ReadableStream({
    start(controller) {
      for (let at = 0; at < sent.length; at += 100_000) controller.enqueue(sent.subarray(at, at + 100_000));
      controller.close();
    },
  });
  const chunked = await fetch(url, { method: "POST", body: stream, duplex: "half" } as RequestInit);
  expect(Buffer.from(await chunked.arrayBuffer()).equals(sent)).toBe(true);
});

test("a writer waits for its reader", async () => {
  let written = 0;
  let isClosed = false;
  const app = fromNodeHandler((_req, res) => {
    res.on("close", () => {
      isClosed = true;
    });
    const write = (): void => {
      for (let isTaken = true; isTaken && written < 200; written++) isTaken = res.write(Buffer.alloc(65_536));
      if (written < 200) res.once("drain", write);
    };
    write();
  });
  const { body } = (await app(testRequest("/"))) as HttpResponse;
  const iterator = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  await iterator.next();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(written).toBeLessThan(20);
  await iterator.return?.();
  await expect.poll(() => isClosed).toBe(true);
});

test("sees finish and close as with node:http, and keeps trailers", async () => {
  const events: string[] = [];
  const app = fromNodeHandler((_req, res) => {
    res.on("finish", () => events.push("finish"));
    res.on("close", () => events.push("close"));
    res.writeHead(200, { Trailer: "X-Sum" });
    res.write("body");
    res.addTrailers({ "X-Sum": "42" });
    res.end();
  });
  const response = await request(app, "/");
  expect(response.text()).toBe("body");
  expect(response.trailers?.toJSON()).toEqual([["X-Sum", "42"]]);
  await expect.poll(() => events).toEqual(["finish", "close"]);
});

test.each<[string, (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => unknown, number]>([
  [
    "throws",
    () => {
      throw new Error("secret");
    },
    500,
  ],
  [
    "rejects",
    async () => {
      throw new Error("secret");
    },
    500,
  ],
  ["calls next with an error", (_req, _res, next) => next(new Error("secret")), 500],
  ["calls next", (_req, _res, next) => next(), 404],
  ["destroys its socket", (req) => req.socket.destroy(), 502],
])("a function that %s before its answer becomes an error of the gateway", async (_, fn, status) => {
  const url = await listen(fromNodeHandler(fn));
  const response = await fetch(url);
  expect(response.status).toBe(status);
  expect(await response.text()).not.toContain("secret");
});

test("a function that breaks off inside its answer cuts the answer", async () => {
  const url = await listen(
    fromNodeHandler((_req, res) => {
      res.write("part");
      setImmediate(() => res.destroy());
    }),
  );
  const response = await fetch(url);
  expect(response.status).toBe(200);
  await expect(response.text()).rejects.toThrow();
});

test("R-H8: the body is asked for when the function reads it", async () => {
  let opened = 0;
  const body = {
    length: 5,
    replayable: false,
    async *[Symbol.asyncIterator]() {
      opened++;
      yield Buffer.from("hello");
    },
  };
  const idle = fromNodeHandler((_req, res) => res.end("no"));
  const reading = fromNodeHandler(async (req, res) => {
    const [chunk] = await once(req, "data");
    res.end(chunk);
  });
  const inside =
    (handler: typeof idle): AppSource =>
    (outer) =>
      handler({ ...(outer as HttpRequest), body });
  await request(inside(idle), "/", { method: "POST" });
  expect(opened).toBe(0);
  expect((await request(inside(reading), "/", { method: "POST" })).text()).toBe("hello");
  expect(opened).toBe(1);
});

test("R-H7: a body beyond the limit is 413", async () => {
  const url = await listen(
    gateway()
      .mount(
        "/",
        fromNodeHandler((req, res) => req.pipe(res)),
        { maxBodyBytes: 10 },
      )
      .run(() => {
        throw new Error("not here");
      }),
  );
  expect((await fetch(url, { method: "POST", body: "12345678901" })).status).toBe(413);
});

test("a client that leaves closes the function's connection", async () => {
  const events: string[] = [];
  const url = await listen(
    fromNodeHandler((req, res) => {
      req.on("close", () => events.push("request closed"));
      res.on("close", () => events.push(`response closed, finished ${res.writableFinished}`));
      res.write("x");
    }),
  );
  const controller = new AbortController();
  const response = await fetch(url, { signal: controller.signal });
  controller.abort();
  await response.text().catch(() => {});
  await expect.poll(() => [...events].sort()).toEqual(["request closed", "response closed, finished false"]);
});

test("HEAD and 204 have no body", async () => {
  const url = await listen(
    fromNodeHandler(
      (req, res) =>
        void res.writeHead(req.url === "/204" ? 204 : 200, { "X-A": "1" }).end(req.url === "/204" ? undefined : "body"),
    ),
  );
  const head = await fetch(url, { method: "HEAD" });
  expect([head.status, head.headers.get("x-a"), await head.text()]).toEqual([200, "1", ""]);
  expect((await fetch(`${url}/204`)).status).toBe(204);
});

test("the user of our layers, not of a header, reaches the function", async () => {
  const login = layer({
    name: "login",
    onRequest: (given) => withPrincipal(given, { user: "ada", type: "test", groups: [], claims: {} }),
  });
  const app = gateway()
    .use(login)
    .run(
      fromNodeHandler(
        (req, res) => void res.end(`${requestOf(req)?.principal?.user} ${req.headers["remote-user"] ?? "-"}`),
      ),
    );
  const url = await listen(app);
  expect(await (await fetch(url, { headers: { "Remote-User": "mallory" } })).text()).toBe("ada -");
});

test("sends the early hints of the function on", async () => {
  const inner = fromNodeHandler((_req, res) => {
    res.writeEarlyHints({ link: "</a.css>; rel=preload" });
    res.end("x");
  });
  const { earlyHints } = await request(inner, "/");
  expect(earlyHints.map((headers) => headers.toJSON())).toEqual([[["Link", "</a.css>; rel=preload"]]]);
});

test("WebSocket openings are refused with 501", async () => {
  const app = fromNodeHandler(() => {});
  await expect((async () => app({ kind: "websocket" } as never))()).rejects.toSatisfy((error) =>
    isGatewayError(error, "GW_HTTP_NO_SOCKETS"),
  );
});

const site = express();
site.use(express.json());
site.get(
  "/hello/:name",
  (req, res) =>
    void res.json({
      hello: req.params.name,
      base: req.baseUrl,
      original: req.originalUrl,
      ip: req.ip,
      secure: req.secure,
    }),
);
site.post("/echo", (req, res) => void res.send(req.body));
site.get("/redirect", (_req, res) => res.redirect("/elsewhere"));
site.get("/file", (_req, res) => res.sendFile(import.meta.filename));
site.get("/fail", () => {
  throw new Error("secret");
});

test("an Express app works under a mount: routes, JSON, redirects, files", async () => {
  const url = await listen(gateway().mount("/site", fromNodeHandler(site)).run(fromNodeHandler(site)));
  expect(await (await fetch(`${url}/site/hello/ada?x=1`)).json()).toEqual({
    hello: "ada",
    base: "/site",
    original: "/site/hello/ada?x=1",
    ip: "127.0.0.1",
    secure: false,
  });
  expect(await (await fetch(`${url}/hello/ada`)).json()).toMatchObject({
    hello: "ada",
    base: "",
    original: "/hello/ada",
  });
  const posted = await fetch(`${url}/site/echo`, {
    method: "POST",
    body: '{"a":1}',
    headers: { "Content-Type": "application/json" },
  });
  expect(await posted.json()).toEqual({ a: 1 });
  const redirected = await fetch(`${url}/redirect`, { redirect: "manual" });
  expect([redirected.status, redirected.headers.get("location")]).toEqual([302, "/elsewhere"]);
  expect(await (await fetch(`${url}/file`)).text()).toContain("an Express app works under a mount");
  expect((await fetch(`${url}/nowhere`)).status).toBe(404);
  const failed = await fetch(`${url}/fail`);
  expect([failed.status, (await failed.text()).includes("secret")]).toEqual([500, false]);
});
