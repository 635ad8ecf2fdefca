// proxy() between real sockets: what streams, who waits, who leaves.
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, request, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer as createRawServer, type Server as RawServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import express from "express";
import { afterEach, expect, test } from "vitest";
import { type ProxyOptions, proxy, serve } from "../src/index.ts";
import { authority, first } from "./certificates.ts";

const running: (() => unknown)[] = [];

afterEach(async () => {
  for (const stop of running.splice(0).reverse()) await stop();
});

async function listen(server: Server, path?: string): Promise<string> {
  server.listen(path ?? { port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  running.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return path === undefined ? `http://127.0.0.1:${(server.address() as AddressInfo).port}` : `unix:${path}`;
}

async function front(target: string, options: ProxyOptions = {}): Promise<string> {
  const server = serve(proxy({ target, ...options }), { bind: "127.0.0.1:0", idleGraceMs: 0, gracefulTimeoutMs: 100 });
  running.push(() => server.close());
  await server.ready;
  return server.url;
}

const upstream = (listener: RequestListener): Promise<string> => listen(createServer(listener));

async function textOf(res: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of res) text += chunk;
  return text;
}

test("R-F22: an answer that comes early is passed on while the upload runs", async () => {
  const url = await front(await upstream((_req, res) => void res.writeHead(413).end("enough")));
  const outgoing = request(url, { method: "POST" });
  outgoing.on("error", () => {});
  outgoing.write("a first piece");
  const [res] = (await once(outgoing, "response")) as [IncomingMessage];
  expect([res.statusCode, await textOf(res)]).toEqual([413, "enough"]);
  outgoing.destroy();
});

test("a body without a length is streamed piece by piece, with its trailers", async () => {
  let first: (() => void) | undefined;
  const firstCame = new Promise<void>((resolve) => {
    first = resolve;
  });
  const url = await front(
    await upstream(async (req, res) => {
      req.once("data", () => first?.());
      let text = "";
      for await (const chunk of req) text += chunk;
      res.end(JSON.stringify([text, req.headers["transfer-encoding"], req.trailers]));
    }),
  );
  const outgoing = request(url, { method: "POST", headers: { Trailer: "X-Sum, Remote-User" } });
  outgoing.write("one,");
  await firstCame;
  outgoing.addTrailers({ "X-Sum": "7", "Remote-User": "root" });
  outgoing.end("two");
  const [res] = (await once(outgoing, "response")) as [IncomingMessage];
  expect(JSON.parse(await textOf(res))).toEqual(["one,two", "chunked", { "x-sum": "7" }]);
});

test("R-F21: when the client leaves, the upstream's connection is closed", async () => {
  let closed: (() => void) | undefined;
  const left = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const url = await front(
    await upstream((_req, res) => {
      res.on("close", () => closed?.());
      res.write("endless");
    }),
  );
  const outgoing = request(url).end();
  const [res] = (await once(outgoing, "response")) as [IncomingMessage];
  res.on("error", () => {});
  await once(res, "data");
  outgoing.destroy();
  await left;
});

test("103 and trailers of the upstream reach the client", async () => {
  const url = await front(
    await upstream((_req, res) => {
      res.writeEarlyHints({ link: "</a.css>; rel=preload" }, () => {
        res.write("body");
        res.addTrailers({ "X-Sum": "7" });
        res.end();
      });
    }),
  );
  const outgoing = request(url).end();
  const hints = once(outgoing, "information");
  const [res] = (await once(outgoing, "response")) as [IncomingMessage];
  expect([await textOf(res), res.trailers]).toEqual(["body", { "x-sum": "7" }]);
  expect((await hints)[0]).toMatchObject({ statusCode: 103, headers: { link: "</a.css>; rel=preload" } });
});

test("R-F20: an upstream that is faster than the client has to wait", async () => {
  let written = 0;
  let stalled: (() => void) | undefined;
  const waits = new Promise<void>((resolve) => {
    stalled = resolve;
  });
  const total = 64_000_000;
  const piece = Buffer.alloc(64_000);
  const url = await front(
    await upstream(async (_req, res) => {
      for (; written < total; written += piece.length) {
        if (res.write(piece)) continue;
        const timer = setTimeout(() => stalled?.(), 200);
        await once(res, "drain");
        clearTimeout(timer);
      }
      res.end();
    }),
  );
  const outgoing = request(url).end();
  const [res] = (await once(outgoing, "response")) as [IncomingMessage];
  res.pause();
  await waits;
  expect(written).toBeLessThan(total / 2);
  let got = 0;
  for await (const chunk of res) got += (chunk as Buffer).length;
  expect(got).toBe(total);
});

test("upstreams on unix sockets, and Express", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gw-proxy-"));
  running.push(() => rmSync(folder, { recursive: true }));
  const app = express();
  app.post("/hello", express.json(), (req, res) => void res.json({ host: req.headers.host, got: req.body }));
  const url = await front(await listen(createServer(app), join(folder, "app.sock")));
  const answer = await fetch(`${url}/hello`, {
    method: "POST",
    body: '{"a":1}',
    headers: { "Content-Type": "application/json" },
  });
  expect(await answer.json()).toEqual({ host: "localhost", got: { a: 1 } });
});

test("a gateway behind a gateway", async () => {
  const inner = await front(await upstream((req, res) => void res.end(`${req.url} ${req.headers.via}`)));
  const url = await front(inner);
  expect(await (await fetch(`${url}/a?b`)).text()).toBe("/a?b 1.1 gw, 1.1 gw");
});

test("TLS: an upstream whose certificate is not believed is a 502, one of the given authority answers", async () => {
  const server = createTlsServer(first, (_req, res) => void res.end("over TLS"));
  const target = (await listen(server)).replace("http:", "https:");
  expect((await fetch(await front(target))).status).toBe(502);
  const url = await front(target, { tls: { ca: authority } });
  for (let time = 0; time < 2; time++) expect(await (await fetch(url)).text()).toBe("over TLS");
  expect((await fetch(await front(target, { tls: { ca: authority, serverName: "other.example" } }))).status).toBe(502);
});

test("R-F13: what an upstream says unasked is nobody's answer", async () => {
  const sockets: Socket[] = [];
  const server: RawServer = createRawServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntrue"));
  });
  server.listen({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  running.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const url = await front(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  expect(await (await fetch(url)).text()).toBe("true");
  const [kept] = sockets as [Socket];
  const closed = once(kept, "close");
  kept.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfalse");
  await closed;
  expect(await (await fetch(url)).text()).toBe("true");
  expect(sockets.length).toBe(2);
});
