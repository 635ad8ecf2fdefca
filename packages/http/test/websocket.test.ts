// WebSockets over HTTP/1.1, with `ws` as the client.
import { once } from "node:events";
import {
  type GatewayRequest,
  HeaderList,
  type Outcome,
  text,
  type WebSocketAccept,
  type WebSocketPeer,
} from "@gw/core";
import { afterEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { type RunningServer, type ServeOptions, serve } from "../src/index.ts";
import { exchange, raw } from "./raw.ts";
import { overHttp1, overHttp2 } from "./websocket-cases/wire.ts";

const servers: RunningServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

function accept(run: (peer: WebSocketPeer) => Promise<void>, rest: Partial<WebSocketAccept> = {}): WebSocketAccept {
  return { kind: "accept", subprotocol: null, headers: HeaderList.empty, run, ...rest };
}

async function echo(peer: WebSocketPeer): Promise<void> {
  for await (const message of peer) await peer.send(message.isText ? message.text() : message.bytes);
}

async function listen(app: Parameters<typeof serve>[0], options: ServeOptions = {}): Promise<RunningServer> {
  const server = serve(app, { bind: "127.0.0.1:0", idleGraceMs: 0, ...options });
  servers.push(server);
  await server.ready;
  return server;
}

const socketUrl = (server: RunningServer, path = "/"): string => server.url.replace("http", "ws") + path;

async function open(server: RunningServer, options: object = {}, protocols: string[] = []): Promise<WebSocket> {
  const socket = new WebSocket(socketUrl(server), protocols, options);
  socket.on("error", () => {});
  await once(socket, "open");
  return socket;
}

/** What a refused opening got. */
async function refusal(
  server: RunningServer,
  options: object = {},
): Promise<{ status: number; body: string; headers: object }> {
  const socket = new WebSocket(socketUrl(server), options);
  socket.on("error", () => {});
  const [, response] = await once(socket, "unexpected-response");
  let body = "";
  for await (const chunk of response) body += chunk;
  return { status: response.statusCode, body, headers: response.headers };
}

/** A test that is true once a number has not changed for eight looks: on a busy machine two are no proof. */
function isSteady(read: () => number): () => boolean {
  let before = Number.NaN;
  let same = 0;
  return () => {
    const now = read();
    same = now === before ? same + 1 : 0;
    before = now;
    return same >= 8;
  };
}

const HANDSHAKE = {
  Host: "h",
  Upgrade: "websocket",
  Connection: "Upgrade",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version": "13",
};

function handshake(changes: Record<string, string | null> = {}, line = "GET / HTTP/1.1"): string {
  const fields = Object.entries({ ...HANDSHAKE, ...changes }).filter(([, value]) => value !== null);
  return `${line}\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
}

test("echoes text and binary messages", async () => {
  const server = await listen(() => accept(echo));
  const socket = await open(server);
  socket.send("안녕");
  const [first, isBinary] = await once(socket, "message");
  expect([String(first), isBinary]).toEqual(["안녕", false]);
  socket.send(new Uint8Array([0, 255]));
  const [second] = await once(socket, "message");
  expect([...(second as Buffer)]).toEqual([0, 255]);
  socket.close();
  await once(socket, "close");
});

test("asks the app with a websocket request and tells it how the exchange ended", async () => {
  let seen: GatewayRequest | undefined;
  const ended: Outcome[] = [];
  const server = await listen((request) => {
    seen = request;
    request.exchange.onEnd((outcome) => void ended.push(outcome));
    return accept(echo, { subprotocol: "b" });
  });
  const socket = await open(server, {}, ["a", "b"]);
  expect(socket.protocol).toBe("b");
  expect(seen).toMatchObject({ kind: "websocket", method: "GET", subprotocols: ["a", "b"], path: "/", scheme: "http" });
  expect(seen?.body.length).toBe(0);
  socket.send("four");
  await once(socket, "message");
  socket.close(1000);
  await once(socket, "close");
  await server.close();
  expect(ended).toEqual([{ status: 101, bytesSent: 4, result: "sent", error: null }]);
  expect(seen?.signal.aborted).toBe(true);
});

test("sends an app's fields with the 101", async () => {
  const headers = HeaderList.from([
    ["Set-Cookie", "a=1"],
    ["Set-Cookie", "b=2"],
  ]);
  const server = await listen(() => accept(echo, { headers }));
  const connection = await raw(server);
  connection.write(handshake());
  const received = await connection.until(/\r\n\r\n/);
  expect(received).toMatch(/^HTTP\/1\.1 101 /);
  expect(received).toContain("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
  expect(received).toContain("Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n");
  expect(received).not.toContain("Sec-WebSocket-Extensions");
  connection.socket.destroy();
});

test("refuses with an ordinary response: status, fields, body", async () => {
  const server = await listen(() => text("log in first\n", { status: 401, headers: { "WWW-Authenticate": "Basic" } }));
  expect(await refusal(server)).toMatchObject({
    status: 401,
    body: "log in first\n",
    headers: { "www-authenticate": "Basic", connection: "close" },
  });
});

test("refuses with a streamed response larger than the socket's buffers", async () => {
  const chunk = new Uint8Array(300_000);
  const server = await listen(() => ({
    kind: "response",
    status: 403,
    headers: HeaderList.empty,
    body: (async function* () {
      for (let n = 0; n < 10; n++) yield chunk;
    })(),
  }));
  expect((await refusal(server)).body.length).toBe(3_000_000);
});

test("turns a 2xx answer to an opening into 501", async () => {
  const server = await listen(() => text("a page"));
  expect((await refusal(server)).status).toBe(501);
});

test("an app that throws before it accepts gives 500 without detail", async () => {
  const server = await listen(() => {
    throw new Error("secret");
  });
  const { status, body } = await refusal(server);
  expect(status).toBe(500);
  expect(body).not.toContain("secret");
});

test.each([
  ["a subprotocol nobody offered", { subprotocol: "x" }],
  ["a field of the handshake", { headers: HeaderList.from({ "Sec-WebSocket-Accept": "x" }) }],
  ["a field with a line break", { headers: HeaderList.from({ "X-A": "a\r\nb" }) }],
])("R-H5: accepting with %s gives 500 and closes the answer", async (_, rest) => {
  let closed = 0;
  const server = await listen(() => accept(echo, { ...rest, close: () => void closed++ }));
  expect((await refusal(server)).status).toBe(500);
  expect(closed).toBe(1);
});

test.each<[string, string, number]>([
  ["no key", handshake({ "Sec-WebSocket-Key": null }), 400],
  ["a key of the wrong length", handshake({ "Sec-WebSocket-Key": "c2hvcnQ=" }), 400],
  ["two keys", handshake().replace("\r\n\r\n", "\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"), 400],
  ["another version", handshake({ "Sec-WebSocket-Version": "8" }), 426],
  ["no version", handshake({ "Sec-WebSocket-Version": null }), 426],
  ["no Host", handshake({ Host: null }), 400],
  ["a body", handshake({ "Content-Length": "5" }), 400],
  ["a malformed list of subprotocols", handshake({ "Sec-WebSocket-Protocol": "a,,b" }), 400],
  ["a subprotocol with a byte that is no ASCII", handshake({ "Sec-WebSocket-Protocol": "a\u00a0, b" }), 400],
  ["a subprotocol twice", handshake({ "Sec-WebSocket-Protocol": "a, a" }), 400],
])("R-H13: an opening with %s is refused", async (_, bytes, status) => {
  let asked = 0;
  const server = await listen(() => {
    asked++;
    return accept(echo);
  });
  const received = await exchange(server, bytes);
  expect(received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  if (status === 426) expect(received).toContain("Sec-WebSocket-Version: 13\r\n");
  expect(asked).toBe(0);
});

test.each([
  [
    "POST with an upgrade",
    "POST / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\nhi",
  ],
  [
    "an upgrade to h2c",
    "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
  ],
])("%s is an ordinary request, and the last one on its connection", async (_, bytes) => {
  const kinds: string[] = [];
  const server = await listen(async (request) => {
    kinds.push(request.kind);
    let body = "";
    for await (const chunk of request.body) body += Buffer.from(chunk).toString();
    return text(`<${body}>`);
  });
  const received = await exchange(server, bytes);
  expect(kinds).toEqual(["http"]);
  expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n(?:.*\r\n)*Connection: close\r\n/);
});

test.each<[string, object, ServeOptions["webSocket"], boolean]>([
  ["no Origin", {}, {}, true],
  ["the same host", { origin: "SAME" }, {}, true],
  ["another host", { origin: "http://evil.example" }, {}, false],
  ["the same host, another scheme", { origin: "SAME".replace("S", "sS") }, {}, false],
  ["a longer name that starts alike", { origin: "SAME.evil.example" }, {}, false],
  ["null", { origin: "null" }, {}, false],
  ["a listed origin", { origin: "https://a.example" }, { allowedOrigins: ["https://a.example"] }, true],
  ["the same host when others are listed", { origin: "SAME" }, { allowedOrigins: ["https://a.example"] }, false],
  [
    "a listed origin with another port",
    { origin: "https://a.example:444" },
    { allowedOrigins: ["https://a.example"] },
    false,
  ],
  ["anything when all are allowed", { origin: "http://evil.example" }, { allowedOrigins: ["*"] }, true],
])("R-H14: Origin: %s", async (_, { origin }: { origin?: string }, webSocket = {}, isAllowed) => {
  const server = await listen(() => accept(echo), { webSocket });
  const sent = origin?.replace("sSAME", server.url.replace("http", "https")).replace("SAME", server.url);
  const options = sent === undefined ? {} : { headers: { Origin: sent } };
  if (isAllowed) (await open(server, options)).terminate();
  else expect((await refusal(server, options)).status).toBe(403);
});

test.each<[string, string, number]>([
  ["unmasked", "\x81\x02hi", 1002],
  ["reserved bits", "\xf1\x80\x00\x00\x00\x00", 1002],
  ["an unknown opcode", "\x83\x80\x00\x00\x00\x00", 1002],
  ["a fragmented ping", "\x09\x80\x00\x00\x00\x00", 1002],
  ["a continuation of nothing", "\x80\x80\x00\x00\x00\x00", 1002],
  ["text that is no UTF-8", "\x81\x81\x00\x00\x00\x00\xff", 1007],
  ["a message of 1 MB and a byte", "\x82\xff\x00\x00\x00\x00\x00\x0f\x42\x41\x00\x00\x00\x00", 1009],
])("R-H13, R-H15: a frame that is %s closes with %s", async (_, frame, code) => {
  const server = await listen(() => accept(echo));
  const connection = await raw(server);
  connection.write(handshake() + frame);
  const received = await connection.end();
  const close = received.slice(received.indexOf("\r\n\r\n") + 4);
  expect(close.charCodeAt(0)).toBe(0x88);
  expect(close.charCodeAt(2) * 256 + close.charCodeAt(3)).toBe(code);
});

test("R-H15: the message limit counts all fragments", async () => {
  const server = await listen(() => accept(echo), { webSocket: { maxMessageBytes: 10 } });
  const connection = await raw(server);
  const mask = "\x00\x00\x00\x00";
  connection.write(`${handshake()}\x01\x86${mask}abcdef\x80\x86${mask}abcdef`);
  const received = await connection.end();
  expect(received.slice(received.indexOf("\r\n\r\n") + 4)).toMatch(/^\x88\x02\x03\xf1/); // 1009
});

test("R-H15: messages the app does not read stay with the client", async () => {
  let release = (): void => {};
  const server = await listen(
    () =>
      accept(async (peer) => {
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        let count = 0;
        for await (const _message of peer) {
          count++;
          if (count === 200) await peer.send("all 200");
        }
      }),
    { webSocket: { maxUnreadBytes: 100_000 } },
  );
  const socket = await open(server);
  const message = new Uint8Array(100_000);
  for (let n = 0; n < 200; n++) socket.send(message);
  await expect.poll(isSteady(() => socket.bufferedAmount)).toBe(true); // the server has stopped reading
  expect(socket.bufferedAmount).toBeGreaterThan(1_000_000);
  release();
  const [reply] = await once(socket, "message");
  expect(String(reply)).toBe("all 200");
  socket.close();
});

test("R-H15: send() waits for a client that does not read", async () => {
  let sent = 0;
  const server = await listen(() =>
    accept(async (peer) => {
      for (; sent < 1_000; sent++) await peer.send(new Uint8Array(100_000));
    }),
  );
  const socket = await open(server);
  socket.pause();
  await expect.poll(() => sent).toBeGreaterThan(0);
  await expect.poll(isSteady(() => sent)).toBe(true);
  expect(sent).toBeLessThan(200);
  socket.resume();
  let received = 0;
  socket.on("message", () => received++);
  await once(socket, "close");
  expect(received).toBe(1_000);
});

test.each([
  ["HTTP/1.1", 1, overHttp1],
  ["HTTP/2", 2, overHttp2],
] as const)(
  "R-H15: a client that leaves while send() waits for it is gone, which is no fault of the app: %s",
  async (_, http, openWire) => {
    const outcomes: Outcome[] = [];
    let sent = 0;
    const server = await listen(
      (request) => {
        request.exchange.onEnd((outcome) => void outcomes.push(outcome));
        return accept(async (peer) => {
          for (;;) {
            await peer.send(new Uint8Array(100_000));
            sent++;
          }
        });
      },
      { http },
    );
    const wire = await openWire(server);
    wire.pause();
    await expect.poll(() => sent).toBeGreaterThan(0);
    await expect.poll(isSteady(() => sent)).toBe(true);
    wire.destroy();
    await expect.poll(() => outcomes).toMatchObject([{ status: 101, result: "gone", error: null }]);
  },
);

test("R-H15: a client that leaves too much unread is cut off, even if the app does not wait", async () => {
  let outcome: Outcome | null = null;
  const server = await listen(
    (request) => {
      request.exchange.onEnd((ended) => {
        outcome = ended;
      });
      return accept(async (peer) => {
        for (let n = 0; n < 1_000; n++) void peer.send(new Uint8Array(100_000));
        await peer.closed;
      });
    },
    { webSocket: { maxUnsentBytes: 1_000_000 } },
  );
  const socket = await open(server);
  socket.on("error", () => {});
  socket.pause();
  await expect.poll(() => outcome).toMatchObject({ status: 101, result: "gone" });
  socket.terminate();
});

test("closes with 1000 when the app's side returns, 1011 when it throws", async () => {
  const server = await listen((request) =>
    accept(async () => {
      if (request.path === "/throw") throw new Error("boom");
    }),
  );
  const codes: number[] = [];
  for (const path of ["/", "/throw"]) {
    const socket = new WebSocket(socketUrl(server, path));
    codes.push((await once(socket, "close"))[0]);
  }
  expect(codes).toEqual([1000, 1011]);
});

test.each([
  ["closes", 4001],
  ["returns", 1000],
] as const)(
  "an app that %s with messages unread still sees the client's part of the closing handshake",
  async (how, code) => {
    const webSocket = { maxUnreadBytes: 10, closeTimeoutMs: 60_000 };
    const server = await listen(
      () =>
        accept(async (peer) => {
          for await (const _first of peer) break; // the next ones have filled the queue by now
          if (how === "closes") await peer.close(code);
        }),
      { webSocket },
    );
    const socket = await open(server);
    for (let n = 0; n < 1_000; n++) socket.send("x");
    expect((await once(socket, "close"))[0]).toBe(code);
  },
);

test("the iteration ends, signal fires and close() runs once when the client vanishes", async () => {
  const events: string[] = [];
  let seen: GatewayRequest | undefined;
  const server = await listen((request) => {
    seen = request;
    request.exchange.onEnd(({ result }) => void events.push(result));
    return accept(
      async (peer) => {
        for await (const _message of peer);
        events.push(`iterated, aborted ${request.signal.aborted}, code ${(await peer.closed).code}`);
      },
      { close: () => void events.push("closed") },
    );
  });
  const socket = await open(server);
  socket.terminate();
  await expect.poll(() => events.length).toBe(3);
  expect(events).toEqual(["iterated, aborted true, code 1006", "closed", "gone"]);
  expect(seen?.signal.aborted).toBe(true);
});

test("close() of the server closes sockets with 1012", async () => {
  const server = await listen(() => accept(echo));
  const socket = await open(server);
  const closed = once(socket, "close");
  await server.close();
  expect((await closed)[0]).toBe(1012);
});

test("a client that does not answer pings is cut off", async () => {
  const server = await listen(() => accept(echo), {
    webSocket: { pingIntervalMs: 100 },
    limits: { headerTimeoutMs: 80 },
  });
  const silent = await raw(server);
  silent.write(handshake());
  const talking = await open(server);
  const received = await silent.end();
  expect(received).toContain("\x89\x00"); // a ping
  expect(talking.readyState).toBe(WebSocket.OPEN);
  talking.terminate();
});

test("an idle socket is closed with 1000", async () => {
  const server = await listen(() => accept(echo), {
    webSocket: { idleTimeoutMs: 100 },
    limits: { headerTimeoutMs: 80 },
  });
  const socket = await open(server);
  expect((await once(socket, "close"))[0]).toBe(1000);
});

test("a client that leaves while the app decides aborts the request", async () => {
  let seen: GatewayRequest | undefined;
  let decide = (): void => {};
  let closed = 0;
  const ended: Outcome[] = [];
  const server = await listen(async (request) => {
    seen = request;
    request.exchange.onEnd((outcome) => void ended.push(outcome));
    await new Promise<void>((resolve) => {
      decide = resolve;
    });
    return accept(echo, { close: () => void closed++ });
  });
  const connection = await raw(server);
  connection.write(handshake());
  await expect.poll(() => seen).toBeDefined();
  connection.socket.end();
  await expect.poll(() => seen?.signal.aborted).toBe(true);
  decide();
  await expect.poll(() => ended).toMatchObject([{ result: "gone" }]);
  expect(closed).toBe(1);
});
