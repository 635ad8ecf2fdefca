// R-H4 to R-H9: hosts, targets, limits, times, unread bodies, order. Hand-written bytes against a real socket.
import { once } from "node:events";
import { connect } from "node:net";
import { type AppSource, encodeText, HeaderList, type HttpResponse, type Outcome, text } from "@gw/core";
import { afterEach, expect, test } from "vitest";
import { type RunningServer, type ServeOptions, serve } from "../src/index.ts";
import { exchange, raw, statuses } from "./raw.ts";

const servers: RunningServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function listen(app: AppSource, options: ServeOptions = {}): Promise<RunningServer> {
  const server = serve(app, { bind: "127.0.0.1:0", idleGraceMs: 0, ...options });
  servers.push(server);
  await server.ready;
  return server;
}

const hello: AppSource = () => text("hello");
const get = (target: string, fields = "Host: h\r\n"): string => `GET ${target} HTTP/1.1\r\n${fields}\r\n`;
const LAST = "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";

/** An app that notes what it was asked. */
function noting(seen: string[], answer: AppSource = hello): AppSource {
  return (request) => {
    seen.push(`${request.method} ${request.target}`);
    return (answer as (request: unknown) => HttpResponse)(request);
  };
}

test.each<[string, string, number]>([
  ["no Host in 1.1", get("/", ""), 400],
  ["two Host fields", get("/", "Host: a\r\nHost: a\r\n"), 400],
  ["a list of hosts", get("/", "Host: a, b\r\n"), 400],
  ["a host with a path", get("/", "Host: a/b\r\n"), 400],
  ["a host with a user", get("/", "Host: u@a\r\n"), 400],
  ["a host with a blank", get("/", "Host: a b\r\n"), 400],
  ["a host with a port beyond 65535", get("/", "Host: a:65536\r\n"), 400],
  ["a host with a port that is none", get("/", "Host: a:b\r\n"), 400],
  ["a host with a wide char", get("/", "Host: \xe4.example\r\n"), 400],
  ["an absolute target that names another host", get("http://b/", "Host: a\r\n"), 400],
  ["* with GET", get("*"), 400],
  ["the authority form with GET", get("h:80"), 400],
  ["a relative target", get("index.html"), 400],
  ["another scheme", get("ftp://h/"), 400],
  ["a fragment", get("/#a"), 400],
  ["a malformed percent sign", get("/%zz"), 400],
  ["NUL in the path", get("/%00"), 400],
  ["CONNECT", "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n", 405],
  ["TRACE", "TRACE / HTTP/1.1\r\nHost: h\r\n\r\n", 405],
])("R-H4: %s is refused", async (_, bytes, status) => {
  const seen: string[] = [];
  const server = await listen(noting(seen));
  expect(statuses(await exchange(server, bytes + SMUGGLED))).toEqual([status]);
  expect(seen).toEqual([]);
});

test.each<[string, string, string]>([
  ["the origin form", "GET /a?b HTTP/1.1\r\nHost: h\r\n", "/a"],
  ["the absolute form", "GET http://h/a?b HTTP/1.1\r\nHost: h\r\n", "/a"],
  ["* with OPTIONS", "OPTIONS * HTTP/1.1\r\nHost: h\r\n", "*"],
  ["HTTP/1.0 without Host", "GET /a HTTP/1.0\r\n", "/a"],
  ["an empty Host", "GET /a HTTP/1.1\r\nHost:\r\n", "/a"],
])("R-H4: %s is served", async (_, head, path) => {
  const server = await listen((request) => text(request.path));
  const received = await exchange(server, `${head}Connection: close\r\n\r\n`);
  expect(received).toMatch(/^HTTP\/1\.1 200 /);
  expect(received.endsWith(`\r\n\r\n${path}`)).toBe(true);
});

test.each<[string, number]>([
  ["www.example.com", 200],
  ["WWW.Example.com:8080", 200],
  ["a.b.example.org", 200],
  ["example.org", 421],
  ["evil.example", 421],
  ["www.example.com.evil.example", 421],
])("R-H4: with a list of allowed hosts, %s is answered %i", async (host, status) => {
  const server = await listen(hello, { allowedHosts: ["www.example.com", "*.example.org"] });
  expect(statuses(await exchange(server, get("/", `Host: ${host}\r\nConnection: close\r\n`)))).toEqual([status]);
});

test.each<[string, Partial<HttpResponse>]>([
  ["a line break in a value", { headers: HeaderList.from({ "X-A": "a\r\nSet-Cookie: b" }) }],
  ["a bare LF in a value", { headers: HeaderList.from({ "X-A": "a\nb" }) }],
  ["NUL in a value", { headers: HeaderList.from({ "X-A": "a\0" }) }],
  ["a blank in a name", { headers: HeaderList.from({ "X A": "b" }) }],
  ["a name with a line break", { headers: HeaderList.from({ "X\r\nY": "b" }) }],
  ["an empty name", { headers: HeaderList.from([["", "b"]]) }],
  ["status 99", { status: 99 }],
  ["status 101", { status: 101 }],
  ["status 600", { status: 600 }],
  ["status 200.5", { status: 200.5 }],
  ["Connection", { headers: HeaderList.from({ Connection: "close" }) }],
  ["Transfer-Encoding", { headers: HeaderList.from({ "Transfer-Encoding": "chunked" }) }],
  ["a wrong Content-Length", { headers: HeaderList.from({ "Content-Length": "3" }) }],
])("R-H5: an answer with %s becomes a 500 before its first byte", async (_, rest) => {
  let closed = 0;
  const server = await listen(() => ({
    kind: "response",
    status: 200,
    headers: HeaderList.empty,
    body: encodeText("body"),
    close: () => void closed++,
    ...rest,
  }));
  const received = await exchange(server, LAST);
  expect(statuses(received)).toEqual([500]);
  expect(received).not.toContain("Set-Cookie");
  expect(closed).toBe(1);
});

const quick = { headerTimeoutMs: 100, keepAliveTimeoutMs: 100, bodyTimeoutMs: 100 };

test("R-H6: a head that is not whole in time is answered 408, however steadily it drips", async () => {
  const server = await listen(hello, { limits: quick });
  const connection = await raw(server);
  connection.write("GET / HTTP/1.1\r\nHost: h\r\n");
  const drip = setInterval(() => connection.write("X-A: b\r\n"), 10);
  expect(statuses(await connection.end())).toEqual([408]);
  clearInterval(drip);
});

test("R-H6: a later head on a connection has the same limit", async () => {
  const server = await listen(hello, { limits: quick });
  const connection = await raw(server);
  connection.write(get("/"));
  await connection.until(/hello$/);
  await expect.poll(() => connection.socket.writableLength).toBe(0);
  const drip = setInterval(() => connection.write("G"), 30);
  connection.write("\r\n");
  const received = await connection.end();
  clearInterval(drip);
  expect(received.indexOf("HTTP/1.1 200")).toBe(0);
});

test("R-H6: a connection that says nothing is closed", async () => {
  const server = await listen(hello, { limits: quick });
  expect(await (await raw(server)).end()).toBe("");
});

test("R-H6: an idle connection is closed", async () => {
  const server = await listen(hello, { limits: { ...quick, headerTimeoutMs: 60_000 } });
  const connection = await raw(server);
  connection.write(get("/"));
  expect(statuses(await connection.end())).toEqual([200]);
});

const readAll: AppSource = async (request) => {
  let bytes = 0;
  for await (const chunk of request.body) bytes += chunk.length;
  return text(`${bytes}`);
};

test("R-H6: a body that does not come is answered 408", async () => {
  const server = await listen(readAll, { limits: quick });
  const connection = await raw(server);
  connection.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc");
  expect(statuses(await connection.end())).toEqual([408]);
});

test("R-H6: a body below the minimum rate is answered 408, one above it is not", async () => {
  const server = await listen(readAll, { limits: { ...quick, minBodyBytesPerSecond: 1_000 } });
  const [slow, steady] = [await raw(server), await raw(server)];
  slow.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10000\r\n\r\n");
  steady.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4000\r\nConnection: close\r\n\r\n");
  const drip = setInterval(() => slow.write("x"), 20);
  const flow = setInterval(() => steady.write("x".repeat(100)), 10);
  expect(statuses(await slow.end())).toEqual([408]);
  expect(statuses(await steady.end())).toEqual([200]);
  clearInterval(drip);
  clearInterval(flow);
});

test("R-H6: a request has a time limit in all", async () => {
  const server = await listen(readAll, { limits: { requestTimeoutMs: 150, minBodyBytesPerSecond: 0 } });
  const connection = await raw(server);
  connection.write("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  const flow = setInterval(() => connection.write("1\r\nx\r\n"), 10);
  expect(statuses(await connection.end())).toEqual([408]);
  clearInterval(flow);
});

test("R-H6: a slow app is not the client's fault", async () => {
  const server = await listen(
    async (request) => {
      await new Promise((resolve) => setTimeout(resolve, 400)); // longer than every limit
      return (readAll as (request: unknown) => Promise<HttpResponse>)(request);
    },
    { limits: quick },
  );
  expect(
    statuses(await exchange(server, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc")),
  ).toEqual([200]);
});

test("R-H6: a client that does not read is cut off", async () => {
  let outcome: Outcome | null = null;
  let written = 0;
  const server = await listen(
    (request) => {
      request.exchange.onEnd((ended) => {
        outcome = ended;
      });
      return {
        kind: "response",
        status: 200,
        headers: HeaderList.empty,
        body: (async function* () {
          for (;;) {
            written += 65_536;
            yield new Uint8Array(65_536);
          }
        })(),
      };
    },
    { limits: { writeTimeoutMs: 100 } },
  );
  const connection = await raw(server);
  connection.socket.pause();
  connection.write(get("/"));
  await expect.poll(() => outcome, { timeout: 4_000 }).toMatchObject({ status: 200, result: "gone" });
  expect(written).toBeLessThan(20_000_000);
});

test("R-H6: a client that does not read one large answer is cut off", async () => {
  let outcome: Outcome | null = null;
  const server = await listen(
    (request) => {
      request.exchange.onEnd((ended) => {
        outcome = ended;
      });
      return { kind: "response", status: 200, headers: HeaderList.empty, body: new Uint8Array(50_000_000) };
    },
    { limits: { writeTimeoutMs: 100 } },
  );
  const connection = await raw(server);
  connection.socket.pause();
  connection.write(get("/"));
  await expect.poll(() => outcome, { timeout: 4_000 }).toMatchObject({ status: 200, result: "gone" });
});

test.each<[string, string, number]>([
  ["a request line of 8,192 bytes", get(`/${"a".repeat(8_192 - 14)}`), 200],
  ["a request line of 8,193 bytes", get(`/${"a".repeat(8_192 - 13)}`), 414],
  ["a request line of 50,000 bytes", get(`/${"a".repeat(50_000)}`), 414],
  ["100 lines", get("/", `Host: h\r\n${"X-A: b\r\n".repeat(99)}`), 200],
  ["101 lines", get("/", `Host: h\r\n${"X-A: b\r\n".repeat(100)}`), 431],
  ["3,000 lines", get("/", `Host: h\r\n${"X-A: b\r\n".repeat(3_000)}`), 431],
  ["a head of 30 kB", get("/", `Host: h\r\nX-A: ${"b".repeat(30_000)}\r\n`), 200],
  ["a head of 33 kB", get("/", `Host: h\r\nX-A: ${"b".repeat(33_000)}\r\n`), 431],
  [
    "a head of 100 kB in two lines",
    get("/", `Host: h\r\nX-A: ${"b".repeat(20_000)}\r\nX-B: ${"b".repeat(80_000)}\r\n`),
    431,
  ],
])("R-H7: %s is answered as it must by default", async (_, bytes, status) => {
  const server = await listen(hello);
  const connection = await raw(server);
  connection.write(bytes);
  expect(statuses(await connection.until(/\r\n\r\n/))).toEqual([status]);
  connection.socket.destroy();
});

test("R-H7: a body of more than 10 MB is refused at the first read, announced or not", async () => {
  const server = await listen(readAll);
  const announced = await exchange(server, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10000001\r\n\r\n");
  expect(statuses(announced)).toEqual([413]);
  const connection = await raw(server);
  connection.write("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  const chunk = `10000\r\n${"x".repeat(65_536)}\r\n`;
  for (let n = 0; n < 153; n++) connection.write(chunk);
  expect(statuses(await connection.until(/\r\n\r\n/))).toEqual([413]);
  connection.socket.destroy();
});

test("R-H7: a layer may raise or lower the body limit", async () => {
  const server = await listen((request) => {
    request.exchange.maxBodyBytes = Number(request.query);
    return (readAll as (request: unknown) => Promise<HttpResponse>)(request);
  });
  const post = (limit: number): string =>
    `POST /?${limit} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello`;
  expect(statuses(await exchange(server, post(5)))).toEqual([200]);
  expect(statuses(await exchange(server, post(4)))).toEqual([413]);
});

const EXPECT = "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";

test("R-H8: 100 Continue is sent when the app first reads, not before", async () => {
  let read = (): void => {};
  let asked = false;
  const server = await listen(async (request) => {
    asked = true;
    if (request.method === "POST") {
      await new Promise<void>((resolve) => {
        read = resolve;
      });
    }
    return (readAll as (request: unknown) => Promise<HttpResponse>)(request);
  });
  const connection = await raw(server);
  let received = "";
  connection.socket.on("data", (bytes) => {
    received += bytes;
  });
  connection.write(EXPECT);
  await expect.poll(() => asked).toBe(true);
  expect(received).toBe("");
  read();
  await connection.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
  connection.write(`hello${LAST}`);
  expect(statuses(await connection.end())).toEqual([100, 200, 200]);
});

test("R-H8: an app that does not read sends no 100, and the connection is closed", async () => {
  const seen: string[] = [];
  const server = await listen(noting(seen));
  const received = await exchange(server, EXPECT + SMUGGLED);
  expect(statuses(received)).toEqual([200]);
  expect(received).toMatch(/\r\nConnection: close\r\n/);
  expect(seen).toEqual(["POST /"]);
});

test("R-H8: another expectation is refused with 417", async () => {
  const server = await listen(hello);
  expect(statuses(await exchange(server, get("/", "Host: h\r\nExpect: 200-ok\r\n")))).toEqual([417]);
});

test("R-H8: a small unread body is thrown away and the connection lives on", async () => {
  const seen: string[] = [];
  const server = await listen(noting(seen));
  const received = await exchange(
    server,
    `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}${LAST}`,
  );
  expect(statuses(received)).toEqual([200, 200]);
  expect(seen).toEqual(["POST /", "GET /last"]);
});

test.each<[string, string]>([
  ["of known length", "Content-Length: 500000\r\n"],
  ["chunked", "Transfer-Encoding: chunked\r\n"],
])("R-H8: after a large unread body, %s, the connection is closed, and its bytes are no request", async (_, field) => {
  const seen: string[] = [];
  const server = await listen(noting(seen));
  const connection = await raw(server);
  connection.write(`POST / HTTP/1.1\r\nHost: h\r\n${field}\r\n`);
  const answered = await connection.until(/hello$/); // before the body has come
  expect(answered).toMatch(/\r\nConnection: close\r\n/);
  const body = SMUGGLED.repeat(Math.ceil(500_000 / SMUGGLED.length)).slice(0, 500_000);
  connection.write(field.startsWith("C") ? body : `7A120\r\n${body}\r\n0\r\n\r\n`);
  connection.write(SMUGGLED);
  expect(statuses(await connection.end())).toEqual([200]);
  expect(seen).toEqual(["POST /"]);
});

test("R-H8: a client that sends its whole body before it reads still gets the answer", async () => {
  const server = await listen(hello);
  for (let n = 0; n < 5; n++) {
    const connection = await raw(server);
    connection.socket.pause();
    connection.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 900000\r\n\r\n");
    for (let sent = 0; sent < 900_000; sent += 30_000) {
      connection.write("x".repeat(30_000));
      await new Promise((resolve) => setImmediate(resolve));
    }
    connection.socket.resume();
    expect(statuses(await connection.end())).toEqual([200]);
  }
});

test("R-H6: a client that does not close when we do is cut off", async () => {
  const server = await listen(hello, { limits: { maxConnections: 1 } });
  const { port } = server.addresses[0] as { port: number };
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => {});
  socket.resume();
  socket.write("nonsense\r\n\r\n");
  await once(socket, "end"); // and we do not end our side
  const isServed = async (): Promise<boolean> => (await exchange(server, LAST)) !== "";
  expect(await isServed()).toBe(false);
  await expect.poll(isServed, { timeout: 5_000 }).toBe(true);
  socket.destroy();
});

test("R-H8: an unread body beyond the limit is not read to its end", async () => {
  const server = await listen(hello, { limits: { maxUnreadBodyBytes: 200_000 } });
  const connection = await raw(server);
  connection.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000\r\n\r\n");
  await connection.until(/hello$/);
  const flow = setInterval(() => connection.write("x".repeat(65_536)), 1);
  await connection.end();
  clearInterval(flow);
  expect(connection.socket.bytesWritten).toBeLessThan(100_000_000);
});

test("R-H8: a body the app stops reading is no request either", async () => {
  const seen: string[] = [];
  const server = await listen(async (request) => {
    seen.push(request.target);
    for await (const _chunk of request.body) break;
    return text("enough");
  });
  const connection = await raw(server);
  connection.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\nx");
  await connection.until(/enough$/);
  connection.write(SMUGGLED.repeat(Math.ceil(300_000 / SMUGGLED.length)));
  expect(statuses(await connection.end())).toEqual([200]);
  expect(seen).toEqual(["/"]);
});

test("R-H9: pipelined requests are answered in order, one at a time", async () => {
  let running = 0;
  let most = 0;
  const server = await listen(async (request) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    return text(`<${request.path}>`);
  });
  const paths = Array.from({ length: 20 }, (_, n) => `/${n}`);
  const received = await exchange(server, paths.map((path) => get(path)).join("") + LAST);
  expect(received.match(/<[^>]*>/g)).toEqual([...paths, "/last"].map((path) => `<${path}>`));
  expect(most).toBe(1);
});

test("R-H9: no more than 64 pipelined requests are read ahead; then the connection closes", async () => {
  let asked = 0;
  let release = (): void => {};
  const server = await listen(async () => {
    asked++;
    if (asked === 1) {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    }
    return text("x");
  });
  const connection = await raw(server);
  connection.write(get("/").repeat(500));
  await expect.poll(() => asked).toBe(1);
  release();
  const received = await connection.end();
  expect(asked).toBe(65);
  expect(statuses(received)).toHaveLength(65);
  expect(received.match(/Connection: close/g)).toHaveLength(1);
});

test.each<[string, string, number]>([
  ["HEAD", "HEAD / HTTP/1.1\r\n", 200],
  ["204", "GET /204 HTTP/1.1\r\n", 204],
  ["304", "GET /304 HTTP/1.1\r\n", 304],
])("R-H9: %s has no body, and the next answer follows at once", async (_, line, status) => {
  const server = await listen((request) => {
    const wanted = Number(request.path.slice(1)) || 200;
    return {
      kind: "response",
      status: wanted,
      headers: HeaderList.empty,
      body: wanted === 200 ? encodeText("body") : null,
    };
  });
  const received = await exchange(server, `${line}Host: h\r\n\r\n${LAST}`);
  expect(statuses(received)).toEqual([status, 200]);
  const [first = ""] = received.split("\r\n\r\n");
  expect(first.includes("Content-Length: 4")).toBe(status === 200);
  expect(first).not.toContain("Transfer-Encoding");
  expect(received.split("\r\n\r\n")[1]).toMatch(/^HTTP/);
});
