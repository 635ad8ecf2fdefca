// HTTP/2 through node:http2's client, without TLS.
import { execFile } from "node:child_process";
import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from "node:http2";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  type AppSource,
  encodeText,
  type GatewayRequest,
  HeaderList,
  type HttpResponse,
  type Outcome,
  text,
} from "@gw/core";
import { afterEach, expect, test } from "vitest";
import { type RunningServer, type ServeOptions, serve } from "../src/index.ts";
import { exchange, statuses } from "./raw.ts";

const servers: RunningServer[] = [];
const sessions: ClientHttp2Session[] = [];

afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy();
  for (const server of servers.splice(0)) await server.close();
});

async function listen(
  app: AppSource,
  options: ServeOptions = {},
): Promise<{ server: RunningServer; session: ClientHttp2Session }> {
  const server = serve(app, { bind: "127.0.0.1:0", h2c: true, idleGraceMs: 0, ...options });
  servers.push(server);
  await server.ready;
  const session = connect(server.url);
  session.on("error", () => {});
  sessions.push(session);
  return { server, session };
}

interface Received {
  readonly headers: Record<string, unknown>;
  readonly body: string;
  readonly stream: ClientHttp2Stream;
}

async function ask(
  session: ClientHttp2Session,
  fields: OutgoingHttpHeaders = {},
  body?: string | Uint8Array,
): Promise<Received> {
  const stream = session.request({ ":path": "/", ...fields }, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  const [headers] = await once(stream, "response");
  return { headers, body: await bodyOf(stream), stream };
}

async function bodyOf(stream: ClientHttp2Stream): Promise<string> {
  let body = "";
  stream.setEncoding("latin1");
  for await (const chunk of stream) body += chunk;
  return body;
}

const echo: AppSource = (request) => ({ kind: "response", status: 200, headers: HeaderList.empty, body: request.body });

test("answers a GET with status, fields, length and body", async () => {
  const { session } = await listen(() =>
    text("hello", {
      headers: [
        ["Set-Cookie", "a=1"],
        ["Set-Cookie", "b=2"],
        ["X-A", "1"],
      ],
    }),
  );
  const { headers, body } = await ask(session);
  expect(headers).toMatchObject({ ":status": 200, "set-cookie": ["a=1", "b=2"], "x-a": "1", "content-length": "5" });
  expect(headers).toHaveProperty("date");
  expect(body).toBe("hello");
});

test("gives the app a request as the model says", async () => {
  let seen: GatewayRequest | undefined;
  const { server, session } = await listen((request) => {
    seen = request;
    return text("");
  });
  await ask(session, { ":path": "/a%20b?c=d", "x-a": ["1", "2"], "remote-user": "mallory", cookie: ["a=1", "b=2"] });
  const { port } = server.addresses[0] as { port: number };
  expect(seen).toMatchObject({
    kind: "http",
    method: "GET",
    scheme: "http",
    target: "/a%20b?c=d",
    path: "/a b",
    query: "c=d",
    protocol: "HTTP/2.0",
    client: { host: "127.0.0.1" },
    server: { host: "127.0.0.1", port },
    tls: null,
  });
  expect(seen?.body.length).toBe(0);
  expect(seen?.headers.toJSON()).toEqual([
    ["host", `127.0.0.1:${port}`],
    ["x-a", "1"],
    ["x-a", "2"],
    ["cookie", "a=1; b=2"],
  ]);
});

test("R-H11: a Host field that differs from :authority is refused; an equal one is no second one", async () => {
  const { server, session } = await listen((request) => text(String(request.headers.getAll("host"))));
  const authority = new URL(server.url).host;
  expect((await ask(session, { ":authority": authority, host: "evil.example" })).headers[":status"]).toBe(400);
  expect(await ask(session, { ":authority": authority, host: authority })).toMatchObject({ body: authority });
});

test("streams up and down at once, with its length unknown", async () => {
  const { session } = await listen(echo);
  const stream = session.request({ ":method": "POST", ":path": "/" });
  stream.setEncoding("latin1");
  for (const part of ["one", "two", "three"]) {
    stream.write(part);
    expect((await once(stream, "data"))[0]).toBe(part);
  }
  stream.end();
  await once(stream, "end");
});

test("carries bodies larger than every window", async () => {
  const { session } = await listen(echo);
  const sent = Buffer.alloc(5_000_000, "0123456789");
  const { body } = await ask(session, { ":method": "POST", "content-length": sent.length }, sent);
  expect(body === sent.toString("latin1")).toBe(true);
});

test("sends one large body at the client's pace", async () => {
  const { session } = await listen(() => ({
    kind: "response",
    status: 200,
    headers: HeaderList.empty,
    body: new Uint8Array(3_000_000),
  }));
  const { headers, body } = await ask(session);
  expect(headers["content-length"]).toBe("3000000");
  expect(body.length).toBe(3_000_000);
});

test("trailers go both ways", async () => {
  const { session } = await listen(async (request) => {
    for await (const _chunk of request.body);
    const sent = await request.body.trailers?.();
    return {
      kind: "response",
      status: 200,
      headers: HeaderList.empty,
      body: encodeText("x"),
      trailers: () => HeaderList.from({ "X-Got": sent?.get("x-sum") ?? "nothing" }),
    };
  });
  const stream = session.request({ ":method": "POST", ":path": "/" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": "42" }));
  stream.end("body");
  const trailers = once(stream, "trailers");
  stream.resume();
  expect((await trailers)[0]).toMatchObject({ "x-got": "42" });
});

test.each([
  ["a line end", ["X-Sum", "1\r\nX-Evil: 1"]],
  ["a field twice that node:http2 knows to come once", ["Date", "a", "Date", "b"]],
])("R-W5: trailers with %s cut the stream, and the connection lives on", async (_, lines) => {
  const outcomes: Outcome[] = [];
  const { session } = await listen((request) => {
    request.exchange.onEnd((outcome) => void outcomes.push(outcome));
    if (request.path === "/fine") return text("fine");
    const trailers = (): HeaderList => HeaderList.fromWire(lines);
    return { kind: "response", status: 200, headers: HeaderList.empty, body: encodeText("body"), trailers };
  });
  const stream = session.request({ ":path": "/" });
  const error = once(stream, "error");
  stream.resume();
  expect((await error)[0]).toBeInstanceOf(Error);
  expect((await ask(session, { ":path": "/fine" })).body).toBe("fine");
  expect(outcomes.map(({ result }) => result)).toEqual(["cut", "sent"]);
});

test("early hints that cannot be sent are left out", async () => {
  const { session } = await listen((request) => {
    request.exchange.inform?.(HeaderList.fromWire(["Date", "a", "Date", "b"]));
    return text("done");
  });
  expect((await ask(session)).body).toBe("done");
});

test("sends 103 before the answer, and 100 when the body is first read", async () => {
  const { session } = await listen(async (request) => {
    request.exchange.inform?.(HeaderList.from({ Link: "</a.css>; rel=preload" }));
    for await (const _chunk of request.body);
    return text("done");
  });
  const stream = session.request({ ":method": "POST", ":path": "/", expect: "100-continue" });
  const interim: unknown[] = [];
  stream.on("headers", (headers) => interim.push([headers[":status"], headers.link]));
  stream.on("continue", () => {
    interim.push("continue");
    stream.end("x");
  });
  expect((await once(stream, "response"))[0][":status"]).toBe(200);
  expect(interim).toContainEqual([103, "</a.css>; rel=preload"]);
  expect(interim).toContain("continue");
});

test.each<[string, OutgoingHttpHeaders, Partial<HttpResponse>]>([
  ["HEAD", { ":method": "HEAD" }, { body: encodeText("body") }],
  ["204", {}, { status: 204, body: null }],
  ["304", {}, { status: 304, body: null }],
])("R-H9: %s has no body", async (_, fields, rest) => {
  const { session } = await listen(() => ({
    kind: "response",
    status: 200,
    headers: HeaderList.empty,
    body: null,
    ...rest,
  }));
  const { headers, body } = await ask(session, fields);
  expect(body).toBe("");
  expect(headers["content-length"]).toBe(rest.status === undefined ? "4" : undefined);
});

test("R-H5: an answer that cannot be sent becomes a 500", async () => {
  const { session } = await listen(() => text("x", { headers: { "X-A": "a\nb" } }));
  expect((await ask(session)).headers[":status"]).toBe(500);
});

test("R-H5: a field that HTTP/2 allows once only, twice, is a 500 and not the end of the server", async () => {
  let closed = 0;
  const outcomes: Outcome[] = [];
  const { session } = await listen((request) => {
    request.exchange.onEnd((outcome) => void outcomes.push(outcome));
    return {
      ...text("x", {
        headers: [
          ["ETag", "a"],
          ["ETag", "b"],
        ],
      }),
      close: () => void closed++,
    };
  });
  const { headers } = await ask(session);
  expect([200, 500]).toContain(headers[":status"]); // whether Node refuses it depends on its version
  expect(closed).toBe(1);
  await expect.poll(() => outcomes.length).toBe(1);
});

test("R-W5: an answer that breaks off is reset, and the connection lives on", async () => {
  const outcomes: Outcome[] = [];
  const { session } = await listen((request) => {
    request.exchange.onEnd((outcome) => void outcomes.push(outcome));
    if (request.path === "/fine") return text("fine");
    return {
      kind: "response",
      status: 200,
      headers: HeaderList.empty,
      body: (async function* () {
        yield encodeText("part");
        throw new Error("broken");
      })(),
    };
  });
  const stream = session.request({ ":path": "/" });
  await expect(bodyOf(stream)).rejects.toThrow();
  expect(stream.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR);
  expect((await ask(session, { ":path": "/fine" })).body).toBe("fine");
  await expect
    .poll(() => outcomes)
    .toMatchObject([
      { status: 200, bytesSent: 4, result: "cut", error: { message: "broken" } },
      { status: 200, bytesSent: 4, result: "sent", error: null },
    ]);
});

test("signal fires when the client resets its stream, and the answer's close() runs", async () => {
  const events: string[] = [];
  const { session } = await listen((request) => {
    request.signal.addEventListener("abort", () => events.push("aborted"));
    request.exchange.onEnd(({ result }) => void events.push(result));
    return {
      kind: "response",
      status: 200,
      headers: HeaderList.empty,
      body: (async function* () {
        for (;;) {
          yield new Uint8Array(1_000);
          await new Promise((resolve) => setImmediate(resolve));
        }
      })(),
      close: () => void events.push("closed"),
    };
  });
  const stream = session.request({ ":path": "/" });
  await once(stream, "data");
  stream.close(constants.NGHTTP2_CANCEL);
  await expect.poll(() => events).toEqual(["aborted", "closed", "gone"]);
});

test("R-H7: body limit, target length and field lines are answered 413, 414 and 431", async () => {
  const { session } = await listen(async (request) => {
    for await (const _chunk of request.body);
    return text("");
  });
  const large = session.request({ ":method": "POST", ":path": "/", "content-length": 10_000_001 });
  expect((await once(large, "response"))[0][":status"]).toBe(413);
  expect((await ask(session, { ":path": `/${"a".repeat(8_192)}` })).headers[":status"]).toBe(414);
  const many = Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`x-${n}`, "1"]));
  expect((await ask(session, many)).headers[":status"]).toBe(431);
});

test("R-H8: a request body nobody reads does not stop the answer or the connection", async () => {
  const { session } = await listen(() => text("no thanks"));
  const stream = session.request({ ":method": "POST", ":path": "/" });
  stream.on("error", () => {});
  stream.write(new Uint8Array(400_000));
  expect((await once(stream, "response"))[0][":status"]).toBe(200);
  expect(await bodyOf(stream)).toBe("no thanks");
  expect((await ask(session)).body).toBe("no thanks");
});

test("R-H6: a body that does not come is answered 408; a client that does not read is cut off", async () => {
  const outcomes: Outcome[] = [];
  const { session } = await listen(
    async (request) => {
      request.exchange.onEnd((outcome) => void outcomes.push(outcome));
      for await (const _chunk of request.body);
      return { kind: "response", status: 200, headers: HeaderList.empty, body: new Uint8Array(10_000_000) };
    },
    { limits: { bodyTimeoutMs: 100, writeTimeoutMs: 100 } },
  );
  const silent = session.request({ ":method": "POST", ":path": "/" });
  expect((await once(silent, "response"))[0][":status"]).toBe(408);
  const deaf = session.request({ ":path": "/" });
  deaf.on("error", () => {});
  await once(deaf, "response"); // and never reads
  await expect.poll(() => outcomes.at(-1), { timeout: 4_000 }).toMatchObject({ status: 200, result: "gone" });
});

test("R-H10: no more than 100 streams at once", async () => {
  let running = 0;
  let most = 0;
  const { session } = await listen(async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 20));
    running--;
    return text("");
  });
  await once(session, "remoteSettings");
  expect(session.remoteSettings).toMatchObject({
    maxConcurrentStreams: 100,
    maxHeaderListSize: 32_768,
    enableConnectProtocol: true,
  });
  await Promise.all(Array.from({ length: 250 }, () => ask(session)));
  expect(most).toBe(100);
});

test("close() lets streams finish, after a GOAWAY", async () => {
  let answer = (): void => {};
  const { server, session } = await listen(async () => {
    await new Promise<void>((resolve) => {
      answer = resolve;
    });
    return text("late");
  });
  const received = ask(session);
  const goaway = once(session, "goaway");
  await expect.poll(() => answer.length).toBe(1);
  const closed = server.close();
  expect((await goaway)[0]).toBe(constants.NGHTTP2_NO_ERROR);
  answer();
  expect((await received).body).toBe("late");
  await closed;
});

test("an idle connection is closed", async () => {
  const { session } = await listen(() => text(""), { limits: { keepAliveTimeoutMs: 100 } });
  await ask(session);
  await once(session, "close");
});

test("with h2c, the same port still speaks HTTP/1.1", async () => {
  const { server } = await listen((request) => text(request.protocol));
  expect(await exchange(server, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")).toMatch(/HTTP\/1\.1$/);
  expect(statuses(await exchange(server, "PRX / HTTP/1.1\r\n\r\n"))).toEqual([400]);
});

test("with http: 2, a port without TLS speaks nothing else", async () => {
  const { server, session } = await listen((request) => text(request.protocol), { http: 2 });
  expect((await ask(session)).body).toBe("HTTP/2.0");
  expect(await exchange(server, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")).not.toContain("200");
});

test("close() settles also when a client leaves at the same moment and nothing else keeps the process alive", async () => {
  const program = join(import.meta.dirname, "programs/close-http2.mjs");
  const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 15_000 });
  expect(stdout).toBe("closed\n");
});
