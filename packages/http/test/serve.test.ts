// serve(): from bind to close, with real sockets.
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { Agent, get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type App, encodeText, type GatewayRequest, HeaderList, type HttpResponse, type Outcome, text } from "@gw/core";
import { expect, test } from "vitest";
import { type ServeOptions, serve } from "../src/index.ts";
import { exchange, raw, statuses } from "./raw.ts";

const any: ServeOptions = { bind: "127.0.0.1:0", idleGraceMs: 0 };

test("answers a GET with status, fields, length and body", async () => {
  const server = serve(() => text("hello\n", { headers: { "X-A": "1" } }), any);
  await server.ready;
  const response = await fetch(`${server.url}/x?y=1`);
  expect(response.status).toBe(200);
  expect(response.headers.get("x-a")).toBe("1");
  expect(response.headers.get("content-length")).toBe("6");
  expect(response.headers.get("date")).not.toBeNull();
  expect(await response.text()).toBe("hello\n");
  await server.close();
});

test("gives the app a request as the model says", async () => {
  let seen: GatewayRequest | null = null;
  const server = serve((request) => {
    seen = request;
    return text("");
  }, any);
  await server.ready;
  await fetch(`${server.url}/a%20b/c?d=%20`, { headers: { "X-Thing": "1", "Remote-User": "mallory" } });
  const { port } = server.addresses[0] as { port: number };
  expect(seen).toMatchObject({
    kind: "http",
    method: "GET",
    scheme: "http",
    target: "/a%20b/c?d=%20",
    mount: "",
    path: "/a b/c",
    query: "d=%20",
    protocol: "HTTP/1.1",
    server: { host: "127.0.0.1", port },
    client: { host: "127.0.0.1" },
    tls: null,
    principal: null,
  });
  const { headers } = seen as unknown as GatewayRequest;
  expect(headers.get("x-thing")).toBe("1");
  expect(headers.get("remote-user")).toBeNull();
  await server.close();
});

test("streams a body up and down", async () => {
  const echo = async (request: GatewayRequest): Promise<HttpResponse> => ({
    kind: "response",
    status: 200,
    headers: HeaderList.empty,
    body: request.body,
  });
  const server = serve(echo, any);
  await server.ready;
  const sent = "x".repeat(1_000_000);
  const response = await fetch(server.url, { method: "POST", body: sent });
  expect(await response.text()).toBe(sent);
  await server.close();
});

test("close() finishes the request under way and refuses new connections", async () => {
  let answer = (): void => {};
  let asked = (): void => {};
  const wasAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const server = serve(async () => {
    asked();
    await new Promise<void>((resolve) => {
      answer = resolve;
    });
    return { kind: "response", status: 200, headers: HeaderList.empty, body: encodeText("late") };
  }, any);
  await server.ready;
  const { url } = server;
  const response = fetch(url);
  await wasAsked;
  const closed = server.close();
  answer();
  expect(await (await response).text()).toBe("late");
  await closed;
  await expect(fetch(url)).rejects.toThrow();
});

test("url and addresses tell the real port, once it listens", async () => {
  const server = serve(() => text(""), any);
  expect(() => server.url).toThrow(expect.objectContaining({ code: "GW_HTTP_NOT_READY" }));
  expect(server.addresses).toEqual([]);
  await server.ready;
  const [address] = server.addresses as [{ host: string; port: number }];
  expect(address.port).toBeGreaterThan(0);
  expect(server.url).toBe(`http://127.0.0.1:${address.port}`);
  await server.close();
});

test("listens on several addresses at once, a unix socket among them", async () => {
  const folder = await mkdtemp(join(tmpdir(), "gw-http-"));
  const path = join(folder, "app.sock");
  const server = serve((request) => text(JSON.stringify(request.client)), {
    bind: ["127.0.0.1:0", "[::1]:0", `unix:${path}`],
    unixMode: 0o600,
  });
  await server.ready;
  const [v4, v6, unix] = server.addresses as [{ port: number }, { port: number }, { path: string }];
  expect(await (await fetch(`http://127.0.0.1:${v4.port}`)).json()).toMatchObject({ host: "127.0.0.1" });
  expect(await (await fetch(`http://[::1]:${v6.port}`)).json()).toMatchObject({ host: "::1" });
  expect(unix).toEqual({ path });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const [response] = await once(get({ socketPath: path, path: "/", agent: false }), "response");
  expect(JSON.parse(String(await response.setEncoding("utf8").toArray()))).toEqual({ path: "" });
  await server.close();
  await expect(stat(path)).rejects.toThrow("ENOENT");
  await rm(folder, { recursive: true });
});

test("when one address is taken, ready rejects, nothing listens and the app has stopped", async () => {
  const events: string[] = [];
  const app: App = {
    handle: () => text(""),
    start: () => void events.push("start"),
    stop: () => void events.push("stop"),
  };
  const taken = serve(() => text(""), any);
  await taken.ready;
  const { port } = taken.addresses[0] as { port: number };
  const server = serve(app, { bind: ["127.0.0.1:0", `127.0.0.1:${port}`] });
  await expect(server.ready).rejects.toMatchObject({ code: expect.stringMatching(/^GW_BIND/) });
  expect(events).toEqual(["start", "stop"]);
  expect(server.addresses).toEqual([]);
  await taken.close();
});

test("an app that does not start rejects ready", async () => {
  const app: App = {
    handle: () => text(""),
    start: () => {
      throw new Error("no database");
    },
  };
  await expect(serve(app, any).ready).rejects.toThrow("no database");
});

test.each<[string, ServeOptions, string]>([
  ["an address that is none", { bind: "localhost:http" }, "GW_BIND"],
  ["an unknown limit", { limits: { maxHeaders: 5 } as object }, "GW_HTTP_OPTION"],
  ["a limit below 0", { limits: { maxBodyBytes: -1 } }, "GW_HTTP_OPTION"],
  ["a time that is none", { gracefulTimeoutMs: Number.NaN }, "GW_HTTP_OPTION"],
  ["an unknown HTTP version", { http: 3 as never }, "GW_HTTP_OPTION"],
  ["a proxy that is no address", { trustedProxies: ["proxy.example"] }, "GW_PEER_LIST"],
  ["an origin with a path", { webSocket: { allowedOrigins: ["https://a.example/x"] } }, "GW_HTTP_OPTION"],
  ["a WebSocket limit below 0", { webSocket: { maxMessageBytes: -1 } }, "GW_HTTP_OPTION"],
])("%s is refused at once", (_, options, code) => {
  expect(() => serve(() => text(""), options)).toThrow(expect.objectContaining({ code }));
});

test("103 comes before the answer, and trailers go both ways", async () => {
  const server = serve(async (request) => {
    request.exchange.inform?.(HeaderList.from({ Link: "</a.css>; rel=preload", "X-A": "1" }));
    for await (const _chunk of request.body);
    const sent = await request.body.trailers?.();
    return {
      kind: "response",
      status: 200,
      headers: HeaderList.from({ Trailer: "X-Got" }),
      body: [encodeText("body")],
      trailers: () => HeaderList.from({ "X-Got": sent?.get("x-sum") ?? "nothing" }),
    };
  }, any);
  await server.ready;
  const received = await exchange(
    server,
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n4\r\nbody\r\n0\r\nX-Sum: 42\r\n\r\n",
  );
  expect(received).toMatch(
    /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\nx-a: 1\r\n\r\nHTTP\/1\.1 200 OK\r\n/i,
  );
  expect(received).toMatch(/4\r\nbody\r\n0\r\nX-Got: 42\r\n\r\n$/);
  await server.close();
});

test.each<[string, string, Partial<HttpResponse>, RegExp]>([
  ["HTTP/1.0", "GET / HTTP/1.0\r\n", {}, /\r\n\r\nbody$/],
  [
    "a length",
    "GET / HTTP/1.1\r\n",
    { headers: HeaderList.from({ Trailer: "X-Sum", "Content-Length": "4" }) },
    /\r\n\r\nbody$/,
  ],
  ["HEAD", "HEAD / HTTP/1.1\r\n", {}, /\r\n\r\n$/],
  ["204", "GET / HTTP/1.1\r\n", { status: 204, body: null }, /\r\n\r\n$/],
])("with %s there are no trailers, and the answer is whole all the same", async (_, line, rest, end) => {
  let closed = 0;
  const server = serve(
    () => ({
      kind: "response",
      status: 200,
      headers: HeaderList.from({ Trailer: "X-Sum" }),
      body: encodeText("body"),
      trailers: () => HeaderList.from({ "X-Sum": "42" }),
      close: () => void closed++,
      ...rest,
    }),
    any,
  );
  await server.ready;
  const received = await exchange(server, `${line}Host: h\r\nConnection: close\r\n\r\n`);
  expect(received).toMatch(/^HTTP\/1\.1 20[04] /);
  expect(received).toMatch(end);
  expect(received).not.toContain("Trailer");
  expect(closed).toBe(1);
  await server.close();
});

test("R-W5: trailers that cannot be sent cut the answer, and the server lives on", async () => {
  const outcomes: Outcome[] = [];
  const server = serve((request) => {
    request.exchange.onEnd((outcome) => void outcomes.push(outcome));
    if (request.path === "/fine") return text("fine");
    const trailers = (): HeaderList => HeaderList.fromWire(["X-Sum", "1\r\nX-Evil: 1"]);
    return { kind: "response", status: 200, headers: HeaderList.empty, body: encodeText("body"), trailers };
  }, any);
  await server.ready;
  const cut = await exchange(server, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  expect(cut).toMatch(/\r\n4\r\nbody\r\n$/);
  expect(await (await fetch(`${server.url}/fine`)).text()).toBe("fine");
  expect(outcomes.map(({ result }) => result)).toEqual(["cut", "sent"]);
  await server.close();
});

test("trailers follow a body of bytes, too", async () => {
  const server = serve(
    () => ({
      kind: "response",
      status: 200,
      headers: HeaderList.empty,
      body: encodeText("body"),
      trailers: () => HeaderList.from({ "X-Sum": "42" }),
    }),
    any,
  );
  await server.ready;
  const received = await exchange(server, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  expect(received.endsWith("4\r\nbody\r\n0\r\nX-Sum: 42\r\n\r\n")).toBe(true);
  await server.close();
});

test("HTTP/1.0: no 103, no chunks, the connection closes; kept alive when asked for and possible", async () => {
  const server = serve((request) => {
    request.exchange.inform?.(HeaderList.from({ Link: "</a.css>; rel=preload" }));
    return request.path === "/whole"
      ? text("whole")
      : { kind: "response", status: 200, headers: HeaderList.empty, body: [encodeText("stre"), encodeText("am")] };
  }, any);
  await server.ready;
  const received = await exchange(
    server,
    "GET /whole HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n",
  );
  expect(statuses(received)).toEqual([200, 200]);
  expect(received).toMatch(/whole(?=HTTP)/);
  expect(received.endsWith("\r\n\r\nstream")).toBe(true);
  await server.close();
});

test("the head of a stream whose first chunk takes its time is sent at once", async () => {
  let go = (): void => {};
  const server = serve(
    () => ({
      kind: "response",
      status: 200,
      headers: HeaderList.from({ "Content-Type": "text/event-stream" }),
      body: (async function* () {
        await new Promise<void>((resolve) => {
          go = resolve;
        });
        yield encodeText("data: 1\n\n");
      })(),
    }),
    any,
  );
  await server.ready;
  const response = await fetch(server.url);
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  go();
  expect(await response.text()).toBe("data: 1\n\n");
  await server.close();
});

test("each exchange tells how it ended, after its answer was closed", async () => {
  const outcomes: Outcome[] = [];
  let closed = 0;
  const answers: Record<string, () => HttpResponse> = {
    "/whole": () => text("whole"),
    "/large": () => ({ kind: "response", status: 200, headers: HeaderList.empty, body: new Uint8Array(5_000_000) }),
    "/stream": () => ({
      kind: "response",
      status: 200,
      headers: HeaderList.empty,
      body: [encodeText("a"), encodeText("b")],
    }),
    "/broken": () => ({
      kind: "response",
      status: 200,
      headers: HeaderList.empty,
      body: (function* () {
        yield encodeText("a");
        throw new Error("broken");
      })(),
    }),
    "/short": () => ({
      kind: "response",
      status: 200,
      headers: HeaderList.from({ "Content-Length": "5" }),
      body: [encodeText("abc")],
    }),
    "/throw": () => {
      throw new Error("thrown");
    },
  };
  const server = serve((request) => {
    request.exchange.onEnd((outcome) => void outcomes.push(outcome));
    return { ...(answers[request.path] as () => HttpResponse)(), close: () => void closed++ };
  }, any);
  await server.ready;
  for (const path of Object.keys(answers)) {
    await fetch(server.url + path)
      .then((response) => response.bytes())
      .catch(() => {});
  }
  await expect
    .poll(() => outcomes)
    .toMatchObject([
      { status: 200, bytesSent: 5, result: "sent", error: null },
      { status: 200, bytesSent: 5_000_000, result: "sent", error: null },
      { status: 200, bytesSent: 2, result: "sent", error: null },
      { status: 200, bytesSent: 1, result: "cut", error: { message: "broken" } },
      { status: 200, bytesSent: 3, result: "cut", error: { code: "GW_LENGTH_MISMATCH" } },
      { status: 500, bytesSent: 26, result: "sent", error: { message: "thrown" } },
    ]);
  expect(closed).toBe(5);
  await server.close();
});

test("signal fires when the client leaves, and the answer's close() runs once", async () => {
  const events: string[] = [];
  const server = serve((request) => {
    request.signal.addEventListener("abort", () => events.push("aborted"));
    request.exchange.onEnd(({ result }) => void events.push(result));
    return {
      kind: "response",
      status: 200,
      headers: HeaderList.empty,
      body: (async function* () {
        try {
          for (;;) {
            yield encodeText("x");
            await new Promise((resolve) => setImmediate(resolve));
          }
        } finally {
          events.push("returned");
        }
      })(),
      close: () => void events.push("closed"),
    };
  }, any);
  await server.ready;
  const connection = await raw(server);
  connection.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  await connection.until(/x/);
  connection.socket.destroy();
  await expect.poll(() => events).toEqual(["aborted", "returned", "closed", "gone"]);
  await server.close();
});

test("beyond the limit, connections are closed and requests answered 503", async () => {
  let answer = (): void => {};
  const server = serve(
    async () => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return text("slow");
    },
    { ...any, limits: { maxConcurrentRequests: 1, maxConnections: 2 } },
  );
  await server.ready;
  const [first, second] = [await raw(server), await raw(server)];
  first.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  await expect.poll(() => answer.length).toBe(1);
  second.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  expect(await second.end()).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\nRetry-After: 1\r\n/);
  const third = await raw(server);
  const fourth = await raw(server);
  expect(await fourth.end()).toBe("");
  third.socket.destroy();
  answer();
  await first.until(/slow$/);
  first.socket.destroy();
  await server.close();
});

test("reload() gives new requests to the next app; the old one finishes, then stops", async () => {
  const events: string[] = [];
  let answer = (): void => {};
  const named = (name: string, handle: App["handle"]): App => ({
    handle,
    start: () => void events.push(`${name} starts`),
    stop: () => void events.push(`${name} stops`),
  });
  const slow = async (): Promise<HttpResponse> => {
    await new Promise<void>((resolve) => {
      answer = resolve;
    });
    return text("old");
  };
  const server = serve(named("old", slow), any);
  await server.ready;
  const connection = await raw(server);
  connection.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  await expect.poll(() => answer.length).toBe(1);
  const reloaded = server.reload(named("new", () => text("new")));
  await expect.poll(async () => (await fetch(server.url)).text()).toBe("new");
  expect(events).toEqual(["old starts", "new starts"]);
  answer();
  await connection.until(/old$/);
  await reloaded;
  expect(events).toEqual(["old starts", "new starts", "old stops"]);
  connection.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  await connection.until(/new$/); // the connection has stayed open
  connection.socket.destroy();
  await server.close();
  expect(events.at(-1)).toBe("new stops");
});

test("R-O2: a next app that does not start changes nothing", async () => {
  const server = serve(() => text("old"), any);
  await server.ready;
  const broken: App = {
    handle: () => text("never"),
    start: () => {
      throw new Error("no start");
    },
  };
  await expect(server.reload(broken)).rejects.toThrow("no start");
  expect(await (await fetch(server.url)).text()).toBe("old");
  await server.close();
});

test("reload() without an app reloads the running one", async () => {
  let version = 1;
  const server = serve({ handle: () => text(String(version)), reload: async () => void version++ }, any);
  await server.ready;
  await server.reload();
  expect(await (await fetch(server.url)).text()).toBe("2");
  await server.close();
});

test("close() after a start that failed has nothing to do, and nothing reloads once it closes", async () => {
  const broken = serve(
    {
      handle: () => text(""),
      start: () => {
        throw new Error("no start");
      },
    },
    any,
  );
  await expect(broken.ready).rejects.toThrow("no start");
  await broken.close();
  const server = serve(() => text(""), any);
  await server.ready;
  const closed = server.close();
  await expect(server.reload()).rejects.toMatchObject({ code: "GW_HTTP_CLOSED" });
  await closed;
});

test("close() cuts what outlasts gracefulTimeoutMs; a second close() cuts at once", async () => {
  for (const isTwice of [false, true]) {
    const outcomes: Outcome[] = [];
    let isAsked = false;
    const server = serve(
      (request) => {
        isAsked = true;
        request.exchange.onEnd((outcome) => void outcomes.push(outcome));
        return new Promise((_, reject) =>
          request.signal.addEventListener("abort", () => reject(request.signal.reason)),
        );
      },
      { ...any, gracefulTimeoutMs: isTwice ? 60_000 : 50 },
    );
    await server.ready;
    const response = fetch(server.url);
    response.catch(() => {});
    await expect.poll(() => isAsked).toBe(true);
    const closed = server.close();
    if (isTwice) server.close();
    await closed;
    await expect(response).rejects.toThrow();
    expect(outcomes).toMatchObject([{ result: "gone" }]);
  }
});

test("a request that is on its way when close() begins is answered, with Connection: close", async () => {
  const server = serve(() => text("ok"), { ...any, idleGraceMs: 200 });
  await server.ready;
  const [idle, busy] = [await raw(server), await raw(server)];
  for (const connection of [idle, busy]) {
    connection.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    await connection.until(/ok$/);
  }
  await setTimeout(250); // longer idle than the grace: it counts from close() on
  const closed = server.close();
  await setTimeout(50);
  busy.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const received = await busy.end();
  expect(statuses(received)).toEqual([200, 200]);
  expect(received.slice(received.lastIndexOf("HTTP/1.1 200"))).toContain("Connection: close\r\n");
  await idle.end();
  await closed;
});

test("under load, reload() and close() lose no request", async () => {
  let server = serve(async () => text("a"), any);
  await server.ready;
  const { port } = server.addresses[0] as { port: number };
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  let isOver = false;
  let answered = 0;
  const failures: unknown[] = [];
  const ask = async (): Promise<void> => {
    while (!isOver) {
      const sent = get({ port, host: "127.0.0.1", agent });
      try {
        const [response] = await once(sent, "response");
        await response.resume().toArray();
        answered++;
      } catch (error) {
        failures.push(error);
      }
    }
  };
  const clients = Array.from({ length: 16 }, ask);
  for (let n = 0; n < 5; n++) {
    await expect.poll(() => answered, { interval: 5 }).toBeGreaterThan(n * 200);
    await server.reload(async () => text(String(n)));
  }
  isOver = true;
  await Promise.all(clients);
  await server.close();
  expect(failures).toEqual([]);
  agent.destroy();
  server = serve(() => text(""), { bind: `127.0.0.1:${port}` });
  await server.ready; // the port is free again
  await server.close();
});
