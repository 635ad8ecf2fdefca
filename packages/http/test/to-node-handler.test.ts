// Apps in other people's servers: node:http, Express, Fastify.
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type App, type AppSource, encodeText, type GatewayRequest, HeaderList, type Outcome, text } from "@gw/core";
import express from "express";
import fastify from "fastify";
import { afterEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { toNodeHandler } from "../src/index.ts";

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function listen(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const echo: AppSource = (request) => ({
  kind: "response",
  status: 200,
  headers: HeaderList.from({ "X-App": "gw" }),
  body: request.body,
});

test("serves an app in a node:http server", async () => {
  let seen: GatewayRequest | undefined;
  const url = await listen(
    createServer(
      toNodeHandler((request) => {
        seen = request;
        return text("hello");
      }),
    ),
  );
  const response = await fetch(`${url}/a?b=c`, { headers: { "Remote-User": "mallory", "X-Forwarded-For": "1.2.3.4" } });
  expect([response.status, await response.text()]).toEqual([200, "hello"]);
  expect(seen).toMatchObject({
    kind: "http",
    target: "/a?b=c",
    mount: "",
    path: "/a",
    query: "b=c",
    client: { host: "127.0.0.1" },
  });
  expect(seen?.headers.get("remote-user")).toBeNull();
  expect(seen?.headers.get("x-forwarded-for")).toBeNull();
});

test("streams both ways", async () => {
  const url = await listen(createServer(toNodeHandler(echo)));
  const sent = Buffer.alloc(3_000_000, "0123456789");
  const response = await fetch(url, { method: "POST", body: sent });
  expect(Buffer.from(await response.arrayBuffer()).equals(sent)).toBe(true);
});

test("starts the app with the first request, stops it at close, and waits for what runs", async () => {
  const events: string[] = [];
  let answer = (): void => {};
  const app: App = {
    start: () => void events.push("start"),
    stop: () => void events.push("stop"),
    handle: async () => {
      events.push("asked");
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      events.push("answered");
      return text("late");
    },
  };
  const handler = toNodeHandler(app);
  const url = await listen(createServer(handler));
  expect(events).toEqual([]);
  const response = fetch(url);
  await expect.poll(() => events).toEqual(["start", "asked"]);
  const closed = handler.close();
  answer();
  expect(await (await response).text()).toBe("late");
  await closed;
  expect(events).toEqual(["start", "asked", "answered", "stop"]);
});

test("an app that does not start is an error of each request", async () => {
  const app: App = {
    start: () => {
      throw new Error("secret");
    },
    handle: () => text("never"),
  };
  const url = await listen(createServer(toNodeHandler(app)));
  const response = await fetch(url);
  expect([response.status, (await response.text()).includes("secret")]).toEqual([500, false]);
});

test("an answer that breaks off is cut, and signal fires when the client leaves", async () => {
  const outcomes: Outcome[] = [];
  const url = await listen(
    createServer(
      toNodeHandler((request) => {
        request.exchange.onEnd((outcome) => void outcomes.push(outcome));
        return {
          kind: "response",
          status: 200,
          headers: HeaderList.empty,
          body: (async function* () {
            yield encodeText("part");
            if (request.path === "/broken") throw new Error("broken");
            await new Promise<void>((resolve) => request.signal.addEventListener("abort", () => resolve()));
          })(),
        };
      }),
    ),
  );
  await expect((await fetch(`${url}/broken`)).text()).rejects.toThrow();
  const controller = new AbortController();
  const leaving = await fetch(url, { signal: controller.signal });
  controller.abort();
  await leaving.text().catch(() => {});
  await expect.poll(() => outcomes.map(({ result }) => result)).toEqual(["cut", "gone"]);
});

test("R-H1: what the other server lets pass is still refused", async () => {
  const url = await listen(createServer(toNodeHandler(echo)));
  const response = await fetch(`${url}/${"a".repeat(8_192)}`);
  expect(response.status).toBe(414);
});

test("in Express, the place is the mount, other middleware's fields are kept, and next() gets what fails to start", async () => {
  let seen: GatewayRequest | undefined;
  const site = express();
  site.use((_req, res, next) => {
    res.setHeader("X-Before", "1");
    next();
  });
  site.use(
    "/app",
    toNodeHandler((request) => {
      seen = request;
      return text("in express", {
        headers: [
          ["Set-Cookie", "a=1"],
          ["Set-Cookie", "b=2"],
        ],
      });
    }),
  );
  site.use(
    "/broken",
    toNodeHandler({
      start: () => {
        throw new Error("no start");
      },
      handle: () => text("never"),
    }),
  );
  site.use(
    (error: Error, _req: express.Request, res: express.Response, _next: express.NextFunction) =>
      void res.status(503).send(error.message),
  );
  const url = await listen(createServer(site));
  const response = await fetch(`${url}/app/x%20y?z`);
  expect([response.status, await response.text(), response.headers.get("x-before")]).toEqual([200, "in express", "1"]);
  expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  expect(seen).toMatchObject({ target: "/app/x%20y?z", mount: "/app", path: "/x y", query: "z" });
  const broken = await fetch(`${url}/broken`);
  expect([broken.status, await broken.text()]).toEqual([503, "no start"]);
});

test("behind a body parser, a body that was read is an error, not a wait without end", async () => {
  const site = express();
  site.use(express.json());
  site.use(
    toNodeHandler(async (request) => {
      for await (const _chunk of request.body);
      return text("read");
    }),
  );
  const url = await listen(createServer(site));
  const parsed = await fetch(url, { method: "POST", body: "{}", headers: { "Content-Type": "application/json" } });
  expect(parsed.status).toBe(500);
  expect((await fetch(url, { method: "POST", body: "plain", headers: { "Content-Type": "text/x" } })).status).toBe(200);
});

test("works in Fastify", async () => {
  const handler = toNodeHandler(echo);
  const server = fastify();
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", (_request, _payload, done) => done(null));
  server.all("/app/*", (request, reply) => {
    reply.hijack();
    handler(request.raw, reply.raw);
  });
  const url = await server.listen({ port: 0, host: "127.0.0.1" });
  closers.push(() => server.close());
  const response = await fetch(`${url}/app/x`, { method: "POST", body: "body" });
  expect([response.status, await response.text()]).toEqual([200, "body"]);
});

test("opens WebSockets on the other server's upgrade event", async () => {
  const handler = toNodeHandler((request) =>
    request.kind === "websocket" && request.path === "/chat"
      ? {
          kind: "accept",
          subprotocol: null,
          headers: HeaderList.empty,
          run: async (peer) => {
            for await (const message of peer) await peer.send(message.text().toUpperCase());
          },
        }
      : text("no", { status: 403 }),
  );
  const server = createServer(handler);
  server.on("upgrade", handler.upgrade);
  const url = (await listen(server)).replace("http", "ws");
  const socket = new WebSocket(`${url}/chat`);
  await once(socket, "open");
  socket.send("hello");
  expect(String((await once(socket, "message"))[0])).toBe("HELLO");
  const refused = new WebSocket(`${url}/other`);
  refused.on("error", () => {});
  expect((await once(refused, "unexpected-response"))[1].statusCode).toBe(403);
  const closed = once(socket, "close");
  await handler.close();
  expect((await closed)[0]).toBe(1012);
});
