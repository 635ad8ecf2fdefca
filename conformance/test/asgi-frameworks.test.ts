// Apps of FastAPI, Starlette, Litestar and Quart, end to end: from a client's socket to the framework and back.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requires } from "@gw-private/requires";
import { afterAll, describe, expect } from "vitest";
import { frameworksPython, serveApp } from "./asgi-client.ts";

const withFrameworks = requires(frameworksPython);
const json = { "Content-Type": "application/json" };
const folder = mkdtempSync(join(tmpdir(), "gw-asgi-apps-"));
const file = join(folder, "file.txt");
const content = "0123456789".repeat(30_000);
writeFileSync(file, content);
afterAll(() => rmSync(folder, { recursive: true }));

/** Numbers 0 to `count` - 1, one per line. */
const lines = (count: number): string =>
  Array.from({ length: count }, (_, at) => `${String(at).padStart(7, "0")}\n`).join("");

/** Reads an answer's first bytes, then leaves. */
async function leave(answer: Response): Promise<string> {
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return Buffer.from(value ?? []).toString();
}

describe("FastAPI, an app of several files", () => {
  withFrameworks("routers, dependencies, models, exception handlers, background tasks, lifespan", async () => {
    const app = await serveApp("bigger.main:app");
    expect(await (await app.fetch("/model")).json()).toEqual({ answer: 42 });
    expect((await app.fetch("/stock/")).status).toBe(422);
    expect((await app.fetch("/stock/?token=other")).status).toBe(400);
    const put = (number: number, name: string, key = "right"): Promise<Response> => {
      const body = JSON.stringify({ part: { name, kind: "bolt", sizes: [1.5] } });
      return app.fetch(`/stock/${number}?token=jessica`, { method: "PUT", headers: { ...json, "X-Key": key }, body });
    };
    const stored = await put(1, "M6 × 20");
    expect([stored.status, await stored.json()]).toEqual([
      201,
      { number: 1, name: "M6 × 20", kind: "bolt", sizes: [1.5] },
    ]);
    expect(stored.headers.get("x-process-time")).toMatch(/^0\.\d+$/);
    expect((await put(2, "x", "wrong")).status).toBe(403);
    expect((await put(0, "x")).status).toBe(422);
    const refused = await put(3, "forbidden");
    expect([refused.status, await refused.json()]).toEqual([418, { refused: "forbidden name" }]);
    expect(await (await app.fetch("/stock/?token=jessica&kind=bolt")).json()).toHaveLength(1);
    await expect.poll(async () => (await app.fetch("/stock/mails?token=jessica")).json()).toEqual(["stored 1"]);
    await app.close();
    expect(app.log.join("\n")).toContain("bigger is down after up");
  });

  withFrameworks("documentation, CORS, compression and an app mounted in the app, all below our mount", async () => {
    const app = await serveApp("bigger.main:app");
    const schema = await (await app.fetch("/openapi.json")).json();
    expect(schema).toMatchObject({ info: { title: "Bigger" }, servers: [{ url: "/app" }] });
    expect(await (await app.fetch("/docs")).text()).toContain("/app/openapi.json");
    const cors = await app.fetch("/model", { headers: { Origin: "https://shop.example" } });
    expect(cors.headers.get("access-control-allow-origin")).toBe("https://shop.example");
    const packed = await app.fetch("/numbers?count=1000", { headers: { "Accept-Encoding": "gzip" } });
    expect([packed.headers.get("content-encoding"), await packed.text()]).toEqual(["gzip", lines(1_000)]);
    expect(await (await app.fetch("/inner/where")).json()).toEqual({
      root: "/app/inner",
      path: "/app/inner/where",
      url: `${app.server.url}/app/inner/where`,
    });
    expect(await (await app.fetch("/inner/text")).text()).toBe("text of the inner app");
  });

  withFrameworks("forms, uploads, cookies, downloads with ranges", async () => {
    const app = await serveApp("bigger.main:app");
    const form = new FormData();
    form.set("note", "안녕");
    form.set("first", new Blob(["12345"]), "first.bin");
    form.set("second", new Blob(["x".repeat(2_000_000)], { type: "text/plain" }), "second.txt");
    const upload = await app.fetch("/upload", { method: "POST", body: form });
    expect(await upload.json()).toEqual({ note: "안녕", first: 5, second: ["second.txt", "text/plain", 2_000_000] });
    const login = await app.fetch("/login", { method: "POST", body: new URLSearchParams({ name: "ann" }) });
    expect(login.headers.getSetCookie()).toEqual([
      "name=ann; HttpOnly; Path=/; SameSite=lax",
      "theme=dark; Path=/; SameSite=lax",
    ]);
    expect(await (await app.fetch("/me", { headers: { Cookie: "a=b; name=ann" } })).json()).toBe("ann");
    const whole = await app.fetch(`/download?path=${file}`);
    expect([whole.headers.get("content-length"), await whole.text()]).toEqual([`${content.length}`, content]);
    expect(whole.headers.get("content-disposition")).toBe('attachment; filename="download.txt"');
    const part = await app.fetch(`/download?path=${file}`, { headers: { Range: "bytes=5-9" } });
    expect([part.status, await part.text()]).toEqual([206, "56789"]);
    const head = await app.fetch(`/download?path=${file}`, { method: "HEAD" });
    expect(head.status).toBe(405); // FastAPI's routes are GET alone
  });

  withFrameworks("streams: from threads, from coroutines, until the client leaves", async () => {
    const app = await serveApp("bigger.main:app");
    expect((await (await app.fetch("/numbers?count=5000")).text()) === lines(5_000)).toBe(true);
    const ticks = await app.fetch("/ticks");
    expect(ticks.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(await leave(ticks)).toMatch(/^id: 0\ndata: tick\n\n/);
    await expect.poll(async () => (await app.fetch("/left")).json()).toEqual(["ticks"]);
  });

  withFrameworks("WebSockets: a room, dependencies before the accept, JSON, bytes, codes", async () => {
    const app = await serveApp("bigger.main:app");
    const [ann, bob] = [await app.open("/room/ann"), await app.open("/room/bob")];
    ann.send("hello");
    expect([await ann.receive(), await ann.receive(), await bob.receive()]).toEqual([
      "you: hello",
      "ann: hello",
      "ann: hello",
    ]);
    ann.socket.terminate();
    expect(await bob.receive()).toBe("ann has left");
    bob.socket.close();
    expect((await app.refused("/guarded/1")).status).toBe(403);
    const guarded = await app.open("/guarded/7", [], { Cookie: "session=s1" });
    expect(await guarded.receive()).toBe('{"who":"s1","number":7}');
    guarded.send("[1,2,255]");
    expect(await guarded.receive()).toEqual(Uint8Array.of(1, 2, 255));
    expect(await guarded.closed).toEqual([4000, "done"]);
  });
});

describe("Starlette, route by route", () => {
  withFrameworks(
    "requests: URL, repeated fields, cookies, body, client; class endpoints; hosts; static files",
    async () => {
      const app = await serveApp("starlette_app:application()");
      const echo = await app.fetch("/echo?a=1&a=2&b=%C3%A9", {
        method: "POST",
        headers: { Cookie: "x=1; y=2", "X-Many": "a" },
        body: "é",
      });
      expect(await echo.json()).toMatchObject({
        method: "POST",
        url: `${app.server.url}/app/echo?a=1&a=2&b=%C3%A9`,
        base: `${app.server.url}/app/`,
        query: [
          ["a", "1"],
          ["a", "2"],
          ["b", "é"],
        ],
        cookies: { x: "1", y: "2" },
        client: ["127.0.0.1", expect.any(Number)],
        version: "1.1",
        header: ["a"],
        body: "é",
      });
      expect((await app.fetch("/echo", { method: "DELETE" })).status).toBe(405);
      expect(await (await app.fetch("/sync")).text()).toBe("on a thread");
      expect(await (await app.fetch("/class/x")).text()).toBe("GET of a class, x");
      expect((await app.fetch("/class/x", { method: "POST" })).status).toBe(405);
      expect((await app.fetch("/nothing")).status).toBe(404);
      const redirect = await app.fetch("/redirect");
      expect([redirect.status, redirect.headers.get("location")]).toEqual([303, `${app.server.url}/app/count`]);
      const cookies = (await app.fetch("/cookies")).headers.getSetCookie();
      expect(cookies.map((one) => one.slice(0, 4))).toEqual(["a=1;", "b=2;", 'c=""']);
    },
  );

  withFrameworks("state, sessions, errors, files, tasks after the answer", async () => {
    const app = await serveApp("starlette_app:app");
    expect([await (await app.fetch("/count")).json(), await (await app.fetch("/count")).json()]).toEqual([1, 2]);
    const login = await app.fetch("/session", { method: "POST", body: '{"user":"ann"}' });
    const [cookie = ""] = login.headers.getSetCookie();
    const session = await app.fetch("/session", { headers: { Cookie: cookie.split(";")[0] as string } });
    expect(await session.json()).toEqual({ user: "ann" });
    const teapot = await app.fetch("/teapot");
    expect([teapot.status, teapot.headers.get("x-spout"), await teapot.text()]).toEqual([
      418,
      "yes",
      "short and stout",
    ]);
    const boom = await app.fetch("/boom");
    expect([boom.status, await boom.text()]).toEqual([500, "Internal Server Error"]);
    await expect
      .poll(() => app.log.join("\n"))
      .toMatch(/Exception in GET \/app\/boom[\s\S]*ValueError: secret of the app/);
    const part = await app.fetch(`/file?path=${file}`, { headers: { Range: "bytes=0-1,5-6" } });
    expect([part.status, part.headers.get("content-type")]).toEqual([
      206,
      expect.stringMatching(/^multipart\/byteranges/),
    ]);
    await part.text();
    expect(await (await app.fetch(`/file?path=${file}`)).text()).toBe(content);
    expect(await (await app.fetch("/background")).text()).toBe("now");
    await expect.poll(async () => (await app.fetch("/seen")).json()).toEqual(["first", "second on a thread"]);
    expect(await (await app.fetch("/failing-background")).text()).toBe("sent");
    await expect.poll(() => app.log.join("\n")).toContain("RuntimeError: the task failed");
  });

  withFrameworks("R-W6: clients that leave: polled, in a stream, in an upload", async () => {
    const app = await serveApp("starlette_app:app");
    const stop = new AbortController();
    const watched = app.fetch("/watch", { signal: stop.signal });
    watched.catch(() => {});
    expect((await app.fetch("/sync")).status).toBe(200);
    stop.abort();
    await expect.poll(async () => (await app.fetch("/seen")).json()).toContain("watched it leave");
    await leave(await app.fetch("/cancel"));
    await expect.poll(async () => (await app.fetch("/seen")).json()).toContain("stream was ended");
    const cut = new AbortController();
    const parts = new ReadableStream({
      pull: (controller) => {
        controller.enqueue(new Uint8Array(100_000));
        return new Promise((resolve) => setTimeout(resolve, 5));
      },
    });
    const upload = app.fetch("/upload", {
      method: "POST",
      body: parts,
      duplex: "half",
      signal: cut.signal,
    } as RequestInit);
    upload.catch(() => {});
    expect((await app.fetch("/sync")).status).toBe(200);
    cut.abort();
    await expect.poll(async () => (await app.fetch("/seen")).json()).toContain("client left its upload");
  });

  withFrameworks(
    "WebSockets: JSON as text and bytes, subprotocol, fields, iteration, denial, both ways at once",
    async () => {
      const app = await serveApp("starlette_app:app");
      const echo = await app.open("/ws");
      echo.send('{"a":"안녕"}');
      expect(JSON.parse((await echo.receive()) as string)).toEqual({ got: { a: "안녕" } });
      echo.send('"binary"');
      expect(Buffer.from((await echo.receive()) as Uint8Array).toString()).toBe('{"got":"binary"}');
      echo.socket.close(4444);
      await expect.poll(async () => (await app.fetch("/seen")).json()).toContain("disconnect 4444");
      const iterate = await app.open("/iterate", ["x", "wamp"]);
      expect(iterate.socket.protocol).toBe("wamp");
      iterate.send("abc");
      expect(await iterate.receive()).toBe("ABC");
      iterate.socket.close();
      await expect.poll(async () => (await app.fetch("/seen")).json()).toContain("iterated to the end, True");
      const denied = await app.refused("/deny");
      expect([denied.status, denied.body, denied.headers["x-deny"]]).toEqual([409, '{"why":"not today"}', "1"]);
      expect((await app.refused("/close")).status).toBe(403);
      expect((await app.refused("/nothing")).status).toBe(403);
      const both = await app.open("/both");
      for (let at = 0; at < 50; at++) both.send(Uint8Array.of(at));
      for (let at = 0; at < 50; at++) expect(await both.receive()).toBe(`tick ${at}`);
      expect(await both.receive()).toBe("end");
      expect((await both.closed)[0]).toBe(1000);
    },
  );
});

withFrameworks("Litestar: controllers, dependencies, streams, events, sockets, tasks, life", async () => {
  const app = await serveApp("litestar_app:app");
  expect(await (await app.fetch("/")).json()).toEqual({ ready: "yes", root: "/app" });
  expect(await (await app.fetch("/items/7")).json()).toEqual({ number: 7 });
  const made = await app.fetch("/items", { method: "POST", headers: json, body: '{"name":"café"}' });
  expect([made.status, await made.json()]).toMatchObject([201, { name: "café" }]);
  expect((await app.fetch("/items", { method: "POST", headers: json, body: "{}" })).status).toBe(400);
  expect((await app.fetch("/me")).status).toBe(403);
  expect(await (await app.fetch("/stream")).text()).toBe(lines(500));
  expect((await (await app.fetch("/events")).text()).match(/event \d/g)).toEqual(["event 0", "event 1", "event 2"]);
  expect(await (await app.fetch("/later")).json()).toEqual([]);
  await expect.poll(async () => (await app.fetch("/later")).json()).toContain("worked");
  expect((await app.fetch("/fails")).status).toBe(409);
  expect((await app.fetch("/boom")).status).toBe(500);
  const raw = await app.open("/ws");
  raw.send('{"a":1}');
  expect(await raw.receive()).toBe('{"message":{"a":1}}');
  expect(await raw.closed).toEqual([4001, "enough"]);
  const listener = await app.open("/listen");
  listener.send("abc");
  expect(await listener.receive()).toBe("ABC");
  await app.close();
  expect((await listener.closed)[0]).toBe(1012);
  expect(app.log.join("\n")).toContain("litestar is down");
});

withFrameworks("Quart: sync and async views, streams both ways, sessions, sockets, tasks, life", async () => {
  const app = await serveApp("quart_app:app");
  expect(await (await app.fetch("/")).json()).toMatchObject({
    log: ["up"],
    root: "/app",
    url: `${app.server.url}/app/`,
  });
  expect(await (await app.fetch("/sync")).text()).toBe("on a thread");
  expect(await (await app.fetch("/size", { method: "POST", body: new Uint8Array(1_000_000) })).text()).toBe("1000000");
  expect(await (await app.fetch("/stream")).text()).toBe(lines(500));
  const login = await app.fetch("/login", { method: "POST", body: new URLSearchParams({ user: "ann" }) });
  const [cookie = ""] = login.headers.getSetCookie();
  expect(await (await app.fetch("/me", { headers: { Cookie: cookie.split(";")[0] as string } })).text()).toBe("ann");
  expect((await app.fetch("/me")).status).toBe(401);
  expect(await (await app.fetch("/later")).text()).toBe("soon");
  await expect.poll(async () => (await app.fetch("/")).json()).toMatchObject({ log: ["up", "worked"] });
  expect(await (await app.fetch("/hints")).text()).toBe("hinted"); // server push is not offered: Quart leaves it out
  expect((await app.fetch("/boom")).status).toBe(500);
  const socket = await app.open("/ws?token=right", ["chat"]);
  socket.send("hi");
  expect([socket.socket.protocol, await socket.receive()]).toEqual(["chat", "you said hi"]);
  socket.socket.close();
  await expect.poll(async () => (await app.fetch("/")).json()).toMatchObject({ log: ["up", "worked", "left"] });
  const refused = await app.refused("/ws");
  expect([refused.status, refused.body]).toEqual([403, "no"]);
  await app.close();
  expect(app.log.join("\n")).toContain("quart is down");
});
