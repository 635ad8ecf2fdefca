import {
  accept,
  compose,
  createContext,
  encodeText,
  GatewayError,
  type Handler,
  HeaderList,
  type HttpResponse,
  json,
  type LogMethod,
  layer,
  type Outcome,
  readText,
  redirect,
  silentLogger,
  text,
  type WebSocketPeer,
} from "@gw/core";
import { openSocket, type RequestInit, request, run } from "@gw/core/testing";
import { describe, expect, test, vi } from "vitest";
import type { AsgiApp, Receive } from "./app.ts";
import { communicator } from "./communicator.ts";
import type { SendEvent } from "./events.ts";
import { fromAsgi } from "./from-asgi.ts";
import type { HeaderPair } from "./scopes.ts";
import { toAsgi } from "./to-asgi.ts";

const bytes = encodeText;
const pair = (name: string, value: string): HeaderPair => [bytes(name), bytes(value)];

describe("toAsgi, http", () => {
  test("answers with a start and one body event", async () => {
    const call = communicator(
      toAsgi((asked) => text(asked.path)),
      { type: "http", path: "/a" },
    );
    await call.sendInput({ type: "http.request", body: bytes(""), more_body: false });
    expect(await call.receiveOutput()).toEqual({
      type: "http.response.start",
      status: 200,
      headers: [pair("content-type", "text/plain; charset=utf-8")],
    });
    expect(await call.receiveOutput()).toEqual({ type: "http.response.body", body: bytes("/a"), more_body: false });
    await call.wait();
  });

  test("reads the request from the scope", async () => {
    const handler: Handler = ({
      method,
      scheme,
      target,
      mount,
      path,
      query,
      protocol,
      client,
      server,
      principal,
      headers,
    }) =>
      json({ method, scheme, target, mount, path, query, protocol, client, server, user: principal?.user, headers });
    const answer = await bodyOf(toAsgi(handler), {
      method: "PUT",
      scheme: "https",
      path: "/app/안녕",
      raw_path: bytes("/app/%EC%95%88%EB%85%95"),
      root_path: "/app",
      query_string: bytes("a=%20"),
      http_version: "2",
      headers: [pair("x-a", "1"), pair("x-a", "2"), pair("remote-user", "root")],
      client: ["192.0.2.1", 99],
      server: ["/run/x.sock", null],
      extensions: { "gw.principal": { user: "alice", type: "form", groups: [], claims: {} } },
    });
    expect(JSON.parse(answer)).toEqual({
      method: "PUT",
      scheme: "https",
      target: "/app/%EC%95%88%EB%85%95?a=%20",
      mount: "/app",
      path: Buffer.from("/안녕").toString("latin1"),
      query: "a=%20",
      protocol: "HTTP/2.0",
      client: { host: "192.0.2.1", port: 99 },
      server: { path: "/run/x.sock" },
      user: "alice",
      headers: [
        ["x-a", "1"],
        ["x-a", "2"],
      ],
    });
  });

  test("a scope with the least it may have is enough", async () => {
    const scope = {
      type: "http",
      asgi: { version: "3.0" },
      http_version: "1.0",
      method: "GET",
      path: "/x y",
      headers: [],
    };
    const events: SendEvent[] = [];
    const receive: Receive = () => new Promise(() => {});
    const app = toAsgi(({ target, server, client }) => json({ target, server, client }));
    await app(scope as never, receive, async (event) => void events.push(event));
    expect(events[1]).toMatchObject({
      body: bytes('{"target":"/x%20y","server":{"host":"localhost","port":80},"client":null}'),
    });
  });

  test("streams the request body, event by event", async () => {
    const chunks: string[] = [];
    const app = toAsgi(async ({ body }) => {
      for await (const chunk of body) chunks.push(new TextDecoder().decode(chunk));
      return text("done");
    });
    const call = communicator(app, { type: "http", method: "POST", headers: [pair("transfer-encoding", "chunked")] });
    await call.sendInput({ type: "http.request", body: bytes("one"), more_body: true });
    await call.sendInput({ type: "http.request", body: bytes(""), more_body: true });
    await call.sendInput({ type: "http.request", body: bytes("two"), more_body: false });
    expect((await call.receiveOutput()).type).toBe("http.response.start");
    expect(chunks).toEqual(["one", "two"]);
    call.stop();
  });

  test("R-W6: a disconnect fires the request's signal and ends the body", async () => {
    let error: unknown = null;
    let isAborted = false;
    const app = toAsgi(async (asked) => {
      error = await Promise.resolve(readText(asked)).catch((reason: unknown) => reason);
      isAborted = asked.signal.aborted;
      return text("nobody reads this");
    });
    const call = communicator(app, {
      type: "http",
      method: "POST",
      headers: [pair("content-length", "9"), pair("content-type", "text/plain")],
    });
    await call.sendInput({ type: "http.request", body: bytes("half"), more_body: true });
    await call.sendInput({ type: "http.disconnect" });
    await call.wait();
    expect(error).toMatchObject({ code: "GW_BODY_CUT" });
    expect(isAborted).toBe(true);
    expect(await call.receiveNothing(1)).toBe(true);
  });

  test("a client that leaves while the handler works is seen, too", async () => {
    let signal: AbortSignal | null = null;
    const app = toAsgi(async (asked) => {
      signal = asked.signal;
      await new Promise((resolve) => asked.signal.addEventListener("abort", resolve));
      return text("late");
    });
    const call = communicator(app, { type: "http" });
    await call.sendInput({ type: "http.request", body: bytes(""), more_body: false });
    await call.sendInput({ type: "http.disconnect" });
    await call.wait();
    expect((signal as unknown as AbortSignal).aborted).toBe(true);
  });

  test("a body that breaks off makes the app throw, so that the server cuts the answer", async () => {
    const oops = new Error("oops");
    const outcomes: Outcome[] = [];
    let closed = 0;
    const app = toAsgi((asked) => {
      asked.exchange.onEnd((outcome) => void outcomes.push(outcome));
      const body = (async function* () {
        yield bytes("first");
        throw oops;
      })();
      return { kind: "response", status: 200, headers: HeaderList.empty, body, close: () => void closed++ };
    });
    const call = communicator(app, { type: "http" });
    await call.sendInput({ type: "http.request", body: bytes(""), more_body: false });
    await expect(call.wait()).rejects.toBe(oops);
    expect([closed, outcomes]).toEqual([1, [{ status: 200, bytesSent: 5, result: "cut", error: oops }]]);
  });

  test("an answer that the server refuses is closed", async () => {
    let closed = 0;
    const app = toAsgi(() => ({ ...text("x"), close: () => void closed++ }));
    const receive: Receive = async () => ({ type: "http.disconnect" });
    const scope = {
      type: "http",
      path: "/",
      method: "GET",
      headers: [],
      http_version: "1.1",
      server: null,
      client: null,
    } as never;
    await app(scope, receive, async () => Promise.reject(new Error("no"))).catch(() => {});
    expect(closed).toBe(1);
  });

  test("R-H18: identity headers of clients are removed", async () => {
    const headers = [pair("x-forwarded-user", "root"), pair("remote_user", "root")];
    expect(
      await bodyOf(
        toAsgi((asked) => text(`${asked.headers.size}`)),
        { headers },
      ),
    ).toBe("0");
  });

  test("a malformed Content-Length is a 400", async () => {
    const call = communicator(
      toAsgi(() => text("x")),
      { type: "http", headers: [pair("content-length", "ten")] },
    );
    expect(await call.receiveOutput()).toMatchObject({ type: "http.response.start", status: 400 });
    call.stop();
  });

  test("a scope type it does not know is refused", async () => {
    await expect(
      communicator(
        toAsgi(() => text("x")),
        { type: "gopher" } as never,
      ).wait(),
    ).rejects.toMatchObject({ code: "GW_ASGI_EVENT" });
  });
});

describe("toAsgi, lifespan", () => {
  test("start and stop run in it", async () => {
    const life: string[] = [];
    const app = { handle: () => text("x"), start: () => void life.push("start"), stop: () => void life.push("stop") };
    const call = communicator(toAsgi(app), { type: "lifespan" });
    await call.sendInput({ type: "lifespan.startup" });
    expect(await call.receiveOutput()).toEqual({ type: "lifespan.startup.complete" });
    expect(life).toEqual(["start"]);
    await call.sendInput({ type: "lifespan.shutdown" });
    expect(await call.receiveOutput()).toEqual({ type: "lifespan.shutdown.complete" });
    expect(life).toEqual(["start", "stop"]);
    await call.wait();
  });

  test("R-W8: a start that fails is told with its message, and logged", async () => {
    const logged: unknown[] = [];
    const error: LogMethod = (facts: object | string) => void logged.push(facts);
    const context = createContext({ log: { ...silentLogger, error } });
    const app = { handle: () => text("x"), start: () => Promise.reject(new Error("no database")) };
    const call = communicator(toAsgi(app, { context }), { type: "lifespan" });
    await call.sendInput({ type: "lifespan.startup" });
    expect(await call.receiveOutput()).toEqual({ type: "lifespan.startup.failed", message: "no database" });
    expect(logged.length).toBe(1);
  });

  test("a stop that fails is told, too", async () => {
    const app = { handle: () => text("x"), stop: () => Promise.reject(new Error("lost writes")) };
    const call = communicator(toAsgi(app), { type: "lifespan" });
    await call.sendInput({ type: "lifespan.startup" });
    await call.receiveOutput();
    await call.sendInput({ type: "lifespan.shutdown" });
    expect(await call.receiveOutput()).toEqual({ type: "lifespan.shutdown.failed", message: "lost writes" });
  });
});

describe("toAsgi, websocket", () => {
  const refusal: Handler = () => text("not you", { status: 401 });

  test("a refusal is a denial response where the server has it, else a 403", async () => {
    const offered = communicator(toAsgi(refusal), { type: "websocket", extensions: { "websocket.http.response": {} } });
    await offered.sendInput({ type: "websocket.connect" });
    expect(await offered.receiveOutput()).toMatchObject({ type: "websocket.http.response.start", status: 401 });
    expect(await offered.receiveOutput()).toMatchObject({
      type: "websocket.http.response.body",
      body: bytes("not you"),
    });
    const plain = communicator(toAsgi(refusal), { type: "websocket" });
    await plain.sendInput({ type: "websocket.connect" });
    expect(await plain.receiveOutput()).toEqual({ type: "websocket.close" });
  });

  test("a socket is accepted, talked to and closed", async () => {
    const handler: Handler = () =>
      accept(
        async (peer) => {
          for await (const message of peer) await peer.send(message.isText ? message.text() : message.bytes);
        },
        { subprotocol: "v1", headers: { "X-A": "1" } },
      );
    const call = communicator(toAsgi(handler), { type: "websocket", subprotocols: ["v1"] });
    await call.sendInput({ type: "websocket.connect" });
    expect(await call.receiveOutput()).toEqual({
      type: "websocket.accept",
      subprotocol: "v1",
      headers: [pair("x-a", "1")],
    });
    await call.sendInput({ type: "websocket.receive", text: "hi" });
    expect(await call.receiveOutput()).toEqual({ type: "websocket.send", text: "hi" });
    await call.sendInput({ type: "websocket.receive", bytes: bytes("b") });
    expect(await call.receiveOutput()).toEqual({ type: "websocket.send", bytes: bytes("b") });
    await call.sendInput({ type: "websocket.disconnect", code: 1001, reason: "" });
    await call.wait();
    expect(await call.receiveNothing(1)).toBe(true);
  });

  test("a handler that returns closes with 1000, one that throws with 1011", async () => {
    for (const [run, code] of [
      [async () => {}, 1000],
      [async () => Promise.reject(new Error("oops")), 1011],
    ] as const) {
      const call = communicator(
        toAsgi(() => accept(run)),
        { type: "websocket" },
      );
      await call.sendInput({ type: "websocket.connect" });
      await call.receiveOutput();
      expect(await call.receiveOutput()).toEqual({ type: "websocket.close", code, reason: "" });
    }
  });

  test("a handler that only sends sees that the client has closed", async () => {
    let closed: unknown = null;
    const handler: Handler = () =>
      accept(async (peer: WebSocketPeer) => {
        closed = await peer.closed;
      });
    const call = communicator(toAsgi(handler), { type: "websocket" });
    await call.sendInput({ type: "websocket.connect" });
    await call.receiveOutput();
    await call.sendInput({ type: "websocket.disconnect", code: 4004, reason: "bye" });
    await call.wait();
    expect(closed).toEqual({ code: 4004, reason: "bye" });
  });
});

describe("fromAsgi and toAsgi against each other", () => {
  const chunks = (parts: readonly string[]): HttpResponse => ({
    kind: "response",
    status: 200,
    headers: HeaderList.from({ "Content-Type": "text/plain" }),
    body: parts.map(bytes),
  });
  const cases: readonly [string, Handler, RequestInit][] = [
    ["a text", () => text("Hello"), {}],
    ["a text made later", async () => text("Hello"), {}],
    ["a text to HEAD", () => text("Hello"), { method: "HEAD" }],
    ["a redirect without a body", () => redirect("/there"), {}],
    ["chunks", () => chunks(["one ", "two"]), {}],
    ["no chunks", () => chunks([]), {}],
    ["a refusal", () => text("no", { status: 403 }), {}],
    ["a GatewayError", () => Promise.reject(new GatewayError("GW_TEST", 404, "no such page")), {}],
    [
      "an echo",
      async (asked) => text(await readText(asked)),
      { method: "POST", body: "echo", headers: { "Content-Type": "text/plain" } },
    ],
    [
      "an echo of a chunked body",
      async (asked) => text(await readText(asked)),
      {
        method: "POST",
        body: [bytes("a"), bytes("b")],
        headers: { "Content-Type": "text/plain", "Transfer-Encoding": "chunked" },
      },
    ],
    ["nothing", () => ({ kind: "response", status: 204, headers: HeaderList.empty, body: null }), {}],
    [
      "trailers",
      () => ({ ...chunks(["x"]), trailers: () => HeaderList.from({ "x-sum": "1" }) }),
      { headers: { TE: "trailers" } },
    ],
  ];

  test.each(cases)("%s is the same through both faces", async (_, handler, init) => {
    const [ours, plain] = [await request(fromAsgi(toAsgi(handler)), "/", init), await request(handler, "/", init)];
    const lower = (headers: HeaderList) => headers.toJSON().map(([name, value]) => [name.toLowerCase(), value]);
    expect([ours.status, lower(ours.headers), ours.text()]).toEqual([plain.status, lower(plain.headers), plain.text()]);
    expect(ours.trailers?.toJSON()).toEqual(plain.trailers?.toJSON());
    expect(ours.outcome.result).toBe(plain.outcome.result);
  });

  test("a 413 stays a 413", async () => {
    const app = fromAsgi(toAsgi(async (asked) => text(await readText(asked))));
    const init = { method: "POST", body: "too long", maxBodyBytes: 4, headers: { "Content-Type": "text/plain" } };
    expect((await request(app, "/", init)).status).toBe(413);
  });

  test("a socket talks through both faces, and layers guard it", async () => {
    const auth = layer({
      name: "auth",
      onRequest: (asked) => (asked.query === "let-me-in" ? asked : text("no", { status: 401 })),
    });
    const echo: Handler = () =>
      accept(async (peer) => {
        for await (const message of peer) await peer.send(message.text());
      });
    const running = await run(fromAsgi(toAsgi(compose([auth], echo))));
    expect((await running.openSocket("/")).response?.status).toBe(401);
    const socket = await running.openSocket("/?let-me-in");
    socket.send("hello");
    expect(await socket.receive()).toBe("hello");
    socket.close();
    await socket.ended;
    await running.stop();
  });

  test("early hints go through both faces", async () => {
    const app = fromAsgi(
      toAsgi((asked) => {
        asked.exchange.inform?.(HeaderList.from({ Link: "</a.css>", "X-Other": "1" }));
        return text("x");
      }),
    );
    expect((await request(app)).earlyHints).toEqual([HeaderList.from({ Link: "</a.css>" })]);
  });

  test("start and stop go through both faces", async () => {
    const life: string[] = [];
    const app = { handle: () => text("x"), start: () => void life.push("start"), stop: () => void life.push("stop") };
    await request(fromAsgi(toAsgi(app), { lifespan: "on" }));
    expect(life).toEqual(["start", "stop"]);
  });

  test("a start that fails fails through both faces", async () => {
    const app = { handle: () => text("x"), start: () => Promise.reject(new Error("no database")) };
    await expect(run(fromAsgi(toAsgi(app)))).rejects.toThrow(/no database/);
  });

  test("a client that leaves a stream is seen by the handler", async () => {
    const outcomes: Outcome[] = [];
    const client = new AbortController();
    const app = fromAsgi(
      toAsgi((asked) => {
        asked.exchange.onEnd((outcome) => void outcomes.push(outcome));
        const forever = (function* () {
          for (;;) yield bytes("x");
        })();
        return { kind: "response", status: 200, headers: HeaderList.empty, body: forever };
      }),
    );
    await request(app, "/", { signal: client.signal, onChunk: () => client.abort() });
    await vi.waitFor(() => expect(outcomes.map(({ result }) => result)).toEqual(["gone"]));
  });

  test("closes an opened socket exactly once through both faces", async () => {
    let closed = 0;
    const handler: Handler = () => ({ ...accept(async () => {}), close: () => void closed++ });
    const socket = await openSocket(fromAsgi(toAsgi(handler)), "/");
    await socket.ended;
    expect(closed).toBe(1);
  });
});

/** Runs one request to its end and gives the text of its body. */
async function bodyOf(app: AsgiApp, scope: Partial<Parameters<typeof communicator>[1]>): Promise<string> {
  const call = communicator(app, { ...scope, type: "http" } as Parameters<typeof communicator>[1]);
  await call.sendInput({ type: "http.request", body: bytes(""), more_body: false });
  await call.receiveOutput();
  const event = await call.receiveOutput();
  return event.type === "http.response.body" ? new TextDecoder().decode(event.body) : event.type;
}
