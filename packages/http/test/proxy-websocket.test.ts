// WebSockets through proxy(): real clients in front, `ws` servers behind, and upstreams that misbehave.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer as createRawServer, type Server as RawServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gateway, type Middleware, type Outcome, withPrincipal } from "@gw/core";
import { requires } from "@gw-private/requires";
import { afterEach, describe, expect, test } from "vitest";
import { type ServerOptions, WebSocket, WebSocketServer } from "ws";
import { type ProxyOptions, proxy, type RunningServer, type ServeOptions, serve } from "../src/index.ts";
import { authority, first } from "./certificates.ts";
import { closeCode } from "./websocket-cases/case.ts";
import { BINARY, CLOSE, closePayload, maskedFrame, TEXT } from "./websocket-cases/frames.ts";
import { overHttp1, overHttp2 } from "./websocket-cases/wire.ts";

const running: (() => unknown)[] = [];

afterEach(async () => {
  for (const stop of running.splice(0).reverse()) await stop();
});

async function listen(server: Server | RawServer, path?: string): Promise<string> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket.on("error", () => {})));
  server.listen(path ?? { port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  running.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return path === undefined ? `http://127.0.0.1:${(server.address() as AddressInfo).port}` : `unix:${path}`;
}

const asAnn: Middleware = (next) => (request) =>
  next(withPrincipal(request, { user: "ann", type: "form", groups: ["a", "b"], claims: {} }));

type Talk = (socket: WebSocket, opening: IncomingMessage) => void;

const echo: Talk = (socket) => socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));

/** A `ws` server. */
async function upstream(talk: Talk, options: ServerOptions = {}, server: Server = createServer()): Promise<string> {
  const sockets = new WebSocketServer({ server, perMessageDeflate: true, ...options });
  sockets.on("connection", (socket, opening) => {
    socket.on("error", () => {});
    talk(socket, opening);
  });
  return listen(server);
}

async function front(
  options: ProxyOptions,
  serving: ServeOptions = {},
  layers: Middleware[] = [],
): Promise<RunningServer> {
  const app = gateway()
    .use(...layers)
    .mount("/app", proxy(options));
  const server = serve(app, { bind: "127.0.0.1:0", idleGraceMs: 0, gracefulTimeoutMs: 500, ...serving });
  running.push(() => server.close());
  await server.ready;
  return server;
}

interface OpenSocket {
  readonly socket: WebSocket;
  readonly opening: IncomingMessage;
}

async function open(server: RunningServer, path = "/app/", offered: string[] = [], init = {}): Promise<OpenSocket> {
  const socket = new WebSocket(server.url.replace("http", "ws") + path, offered, init);
  socket.on("error", () => {});
  running.push(() => socket.terminate());
  const [[opening]] = await Promise.all([once(socket, "upgrade"), once(socket, "open")]);
  return { socket, opening };
}

/** How a socket closes. */
const closeOf = async (socket: WebSocket): Promise<[code: number, reason: string]> => {
  const [code, reason] = await once(socket, "close");
  return [code, String(reason)];
};

async function refusal(
  server: RunningServer,
  offered: string[] = [],
): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> {
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/app/`, offered);
  socket.on("error", () => {});
  const [, response] = await once(socket, "unexpected-response");
  let body = "";
  for await (const chunk of response) body += chunk;
  return { status: response.statusCode, headers: response.headers, body };
}

/** A test that is true once a number has not changed for eight looks. */
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

describe("messages and openings", () => {
  test("text, bytes and empty messages go both ways, over HTTP/1.1 and over HTTP/2", async () => {
    const target = await upstream(echo);
    const { socket } = await open(await front({ target }));
    for (const message of ["café", Buffer.from([0, 255]), "", Buffer.alloc(100_000, 7)]) {
      socket.send(message);
      const [data, isBinary] = await once(socket, "message");
      expect([Buffer.from(message).equals(data), isBinary]).toEqual([true, typeof message !== "string"]);
    }
    const wire = await overHttp2(await front({ target }, { http: 2 }), undefined, "/app/");
    running.push(() => wire.destroy());
    await wire.write(maskedFrame({ opcode: TEXT, payload: "hello" }));
    await wire.write(maskedFrame({ opcode: BINARY, payload: "\x00\x01" }));
    await wire.until((frames) => frames.length >= 2);
    await wire.write(maskedFrame({ opcode: CLOSE, payload: closePayload(3210) }));
    await wire.until(() => false);
    expect(wire.frames.slice(0, 2).map(({ payload }) => payload.toString("latin1"))).toEqual(["hello", "\x00\x01"]);
    expect(closeCode(wire.frames)).toBe(3210);
  });

  test("R-H17, R-H18, R-C10: the opening has the path as the client encoded it, our forwarding fields, our user, and nobody else's", async () => {
    let seen: IncomingMessage | null = null;
    const target = await upstream((_, opening) => {
      seen = opening;
    });
    const options = { target: `${target}/base`, userHeader: "X-User", groupsHeader: "X-Groups" };
    const server = await front(options, {}, [asAnn]);
    await open(server, "/app/a%2Fb/%7Bx%7D;p='1'?q=|%20", [], {
      origin: server.url,
      headers: {
        "X-User": "root",
        "X-Groups": "root",
        "Remote-User": "root",
        "X-Forwarded-For": "6.6.6.6",
        Cookie: "a=1; b=2",
        Authorization: "Bearer t",
        "X-Kept": "yes",
        "Keep-Alive": "5",
      },
    });
    const { url, headers } = seen as unknown as IncomingMessage;
    expect(url).toBe("/base/a%2Fb/%7Bx%7D;p='1'?q=|%20");
    expect(headers).toMatchObject({
      host: new URL(target).host,
      "x-user": "ann",
      "x-groups": "a,b",
      "x-kept": "yes",
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": "http",
      "x-forwarded-host": new URL(server.url).host,
      cookie: "a=1; b=2",
      authorization: "Bearer t",
      origin: server.url,
      via: "1.1 gw",
    });
    expect(JSON.stringify(headers)).not.toMatch(/root|6\.6\.6\.6|keep-alive|permessage/);
  });

  test("a path that no URL class would leave alone stays as it is", async () => {
    const paths: unknown[] = [];
    const target = await upstream((_, { url }) => paths.push(url));
    const server = await front({ target });
    for (const path of ["/app/{x}|`^", "/app/a%2fb%2E%7e", "/app/?a={b}'\"<|>"]) {
      const wire = await overHttp1(server, undefined, path);
      running.push(() => wire.destroy());
    }
    expect(paths).toEqual(["/{x}|`^", "/a%2fb%2E%7e", "/?a={b}'\"<|>"]);
  });

  test("the upstream chooses among the subprotocols of the client, or none of them", async () => {
    let offered = "";
    const choosing = await upstream(
      (_, { headers }) => {
        offered = headers["sec-websocket-protocol"] ?? "";
      },
      { handleProtocols: (names) => (names.has("b") ? "b" : false) },
    );
    const server = await front({ target: choosing });
    expect((await open(server, "/app/", ["a", "b"])).socket.protocol).toBe("b");
    expect(offered).toBe("a, b");
    // A client that offers subprotocols and gets none: `ws` gives up, browsers go on.
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/app/`, ["a"]);
    const [error] = await once(socket, "error");
    expect(error.message).toBe("Server sent no subprotocol");
  });

  test("fields of the accepting answer reach the client, cookies below the mount", async () => {
    const server = createServer();
    const sockets = new WebSocketServer({ server });
    sockets.on("headers", (lines) => {
      lines.push("Set-Cookie: a=1; Path=/base", "Set-Cookie: b=2", "X-Extra: yes", "Keep-Alive: 3");
    });
    const target = `${await listen(server)}/base`;
    const { opening } = await open(await front({ target }));
    expect(opening.headers).toMatchObject({ "set-cookie": ["a=1; Path=/app", "b=2"], "x-extra": "yes" });
    expect(opening.headers["keep-alive"]).toBeUndefined();
  });

  test("compression is each side's own", async () => {
    let extensions = "";
    const target = await upstream((socket, { headers }) => {
      extensions = headers["sec-websocket-extensions"] ?? "none";
      echo(socket, null as never);
    });
    const { socket, opening } = await open(await front({ target }, { webSocket: { compression: true } }));
    expect([extensions, opening.headers["sec-websocket-extensions"]]).toEqual(["none", "permessage-deflate"]);
    const message = "x".repeat(50_000);
    socket.send(message);
    expect(String((await once(socket, "message"))[0])).toBe(message);
  });

  test("upstreams on unix sockets and behind TLS, and a gateway behind a gateway", async () => {
    const folder = mkdtempSync(join(tmpdir(), "gw-"));
    running.push(() => rmSync(folder, { recursive: true }));
    const onUnix = createServer();
    new WebSocketServer({ server: onUnix }).on("connection", echo);
    const unix = await listen(onUnix, join(folder, "app.sock"));
    const tls = (await upstream(echo, {}, createTlsServer(first))).replace("http:", "https:");
    const inner = await front({ target: unix });
    for (const options of [{ target: `${inner.url}/app` }, { target: tls, tls: { ca: authority } }]) {
      const { socket } = await open(await front(options));
      socket.send("hello");
      expect(String((await once(socket, "message"))[0])).toBe("hello");
    }
    const untrusted = await refusal(await front({ target: tls }));
    expect(untrusted.status).toBe(502);
  });
});

describe("a server in Python", () => {
  /** Made by `.ci/run`; CONTRIBUTING.md says how by hand. */
  const python = join(import.meta.dirname, "../../../node_modules/.cache/python/bin/python");

  requires(python)("websockets: subprotocol, text, bytes, its own compression, close codes and a refusal", async () => {
    const child = spawn(python, [join(import.meta.dirname, "programs/websockets_app.py")], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    running.push(() => child.kill("SIGKILL"));
    const [line] = await once(child.stdout, "data");
    const server = await front({ target: String(line).trim(), userHeader: "X-User" }, {}, [asAnn]);
    const { socket } = await open(server, "/app/echo?q=1", ["none", "chat"]);
    const next = async (): Promise<string> => String((await once(socket, "message"))[0]);
    expect(socket.protocol).toBe("chat");
    for (const [message, answer] of [
      ["who", "ann /echo?q=1 extensions=none"],
      ["grüße", "grüße"],
      [Buffer.from([0, 200, 255]), Buffer.from([0, 200, 255]).toString()],
      ["x".repeat(300_000), "x".repeat(300_000)],
    ] as const) {
      socket.send(message);
      expect(await next()).toBe(answer);
    }
    socket.send("close 4242");
    expect(await closeOf(socket)).toEqual([4242, "as asked"]);
    const refused = new WebSocket(`${server.url.replace("http", "ws")}/app/secret`);
    refused.on("error", () => {});
    const [, response] = await once(refused, "unexpected-response");
    expect([response.statusCode, response.headers["x-why"]]).toEqual([403, "secret"]);
  });
});

describe("refusals", () => {
  test("the upstream's own goes to the client with status, fields and body", async () => {
    const server = createServer();
    server.on("upgrade", (_, socket) => {
      socket.end(
        "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nSet-Cookie: a=1\r\nContent-Length: 8\r\nConnection: close\r\n\r\nlog in!\n",
      );
    });
    const got = await refusal(await front({ target: await listen(server) }));
    expect(got).toMatchObject({ status: 401, body: "log in!\n", headers: { "www-authenticate": "Basic" } });
    expect(got.headers["set-cookie"]).toEqual(["a=1"]);
  });

  test("a large one is streamed", async () => {
    const server = createServer((_, res) => res.writeHead(403).end("x".repeat(3_000_000)));
    const got = await refusal(await front({ target: await listen(server) }));
    expect([got.status, got.body.length]).toEqual([403, 3_000_000]);
  });

  test("an upstream that knows no WebSockets: its 200 becomes a 501, its 404 stays", async () => {
    for (const [status, expected] of [
      [200, 501],
      [404, 404],
    ] as const) {
      const server = createServer((_, res) => res.writeHead(status).end("a page"));
      expect((await refusal(await front({ target: await listen(server) }))).status).toBe(expected);
    }
  });

  const ACCEPT = "Sec-WebSocket-Accept";
  test.each([
    ["a wrong Sec-WebSocket-Accept", `${ACCEPT}: nonsense\r\n`],
    ["none", ""],
    ["a subprotocol that nobody offered", `${ACCEPT}: $\r\nSec-WebSocket-Protocol: c\r\n`],
    ["two subprotocols", `${ACCEPT}: $\r\nSec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n`],
    ["an extension that nobody asked for", `${ACCEPT}: $\r\nSec-WebSocket-Extensions: permessage-deflate\r\n`],
    ["a field that no app may send", `${ACCEPT}: $\r\nX-A: 1\u0001\r\n`],
  ])("R-F15: a 101 with %s is a 502", async (_, fields) => {
    const { createHash } = await import("node:crypto");
    const server = createServer();
    server.on("upgrade", ({ headers }, socket) => {
      const proof = createHash("sha1").update(`${headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
      const all = fields.replace("$", proof.digest("base64"));
      socket.write(`HTTP/1.1 101 ok\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${all}\r\n`, "latin1");
    });
    expect((await refusal(await front({ target: await listen(server) }), ["a", "b"])).status).toBe(502);
  });

  test("R-F19, R-F23: nobody there is a 503, silence a 504; another upstream is asked when one is down", async () => {
    const gone = createServer();
    const nobody = await listen(gone);
    await new Promise((resolve) => gone.close(resolve));
    const down = await refusal(await front({ target: nobody }));
    expect([down.status, down.headers["retry-after"]]).toEqual([503, "1"]);
    const silent = await listen(createRawServer());
    expect((await refusal(await front({ target: silent, headerTimeoutMs: 50 }))).status).toBe(504);
    const { socket } = await open(await front({ targets: [nobody, await upstream(echo)] }));
    socket.send("x");
    await once(socket, "message");
  });

  test("a client that leaves while the upstream decides ends the opening there", async () => {
    const connections: Socket[] = [];
    const target = await listen(createRawServer((socket) => connections.push(socket.resume())));
    const socket = new WebSocket(`${(await front({ target })).url.replace("http", "ws")}/app/`);
    socket.on("error", () => {});
    await expect.poll(() => connections.length).toBe(1);
    const closed = once(connections[0] as Socket, "close");
    socket.terminate();
    await closed;
  });

  test("open sockets have a limit of their own and keep no requests out", async () => {
    const plain = createServer((_, res) => res.end("page"));
    const target = await upstream(echo, {}, plain);
    const server = await front({ target, maxConnections: 1, webSocket: { maxOpen: 2 } });
    const { socket } = await open(server);
    await open(server);
    expect(await (await fetch(`${server.url}/app/`)).text()).toBe("page");
    const refused = await refusal(server);
    expect([refused.status, refused.headers["retry-after"]]).toEqual([503, "1"]);
    socket.close();
    await once(socket, "close");
    await expect.poll(() => open(server).then(() => "open", String)).toBe("open");
  });
});

describe("ends", () => {
  test.each([1000, 1001, 1003, 1012, 3000, 4999])("code %s and its reason pass both ways", async (code) => {
    let inside: Promise<[number, string]> | null = null;
    const target = await upstream((socket) => {
      inside = closeOf(socket);
      socket.on("message", () => socket.close(code, "because"));
    });
    const server = await front({ target });
    const { socket } = await open(server);
    socket.close(code, "why not");
    expect(await closeOf(socket)).toEqual([code, "why not"]);
    expect(await inside).toEqual([code, "why not"]);
    const { socket: other } = await open(server);
    other.send("end it");
    expect(await closeOf(other)).toEqual([code, "because"]);
  });

  test("a close without a code reaches the upstream without one, and clients as 1000", async () => {
    let inside: Promise<[number, string]> | null = null;
    const target = await upstream((socket) => {
      inside = closeOf(socket);
      socket.on("message", () => socket.close());
    });
    const server = await front({ target });
    (await open(server)).socket.close();
    await expect.poll(() => inside).not.toBeNull();
    expect((await (inside as unknown as Promise<[number, string]>))[0]).toBe(1005);
    const { socket } = await open(server);
    socket.send("end it");
    expect((await closeOf(socket))[0]).toBe(1000);
  });

  test("what was sent before the end arrives before it", async () => {
    const received: string[] = [];
    let ended: unknown = null;
    const target = await upstream((socket) => {
      socket.on("message", (data) => received.push(String(data)));
      socket.on("close", (code) => {
        ended = code;
      });
      socket.once("message", () => {
        for (let n = 0; n < 100; n++) socket.send(`down ${n}`);
        socket.close(4000);
      });
    });
    const { socket } = await open(await front({ target }));
    let count = 0;
    socket.on("message", () => count++);
    for (let n = 0; n < 100; n++) socket.send(`up ${n}`);
    expect((await closeOf(socket))[0]).toBe(4000);
    expect(count).toBe(100);
    await expect.poll(() => ended).toBe(4000);
    expect(received).toEqual(received.map((_, n) => `up ${n}`));
  });

  test("an upstream that breaks off or breaks the rules is 1014 for the client, not its own fault", async () => {
    const target = await upstream((socket, { url }) => {
      const wire = (socket as unknown as { _socket: Socket })._socket;
      if (url === "/cut") socket.terminate();
      else if (url === "/large") socket.send(Buffer.alloc(2_000));
      else wire.write(Buffer.from([0xff, 0x00])); // reserved bits
    });
    const server = await front({ target, webSocket: { maxMessageBytes: 1_000 } });
    for (const path of ["/cut", "/large", "/garbage"]) {
      const { socket } = await open(server, `/app${path}`);
      expect(await closeOf(socket)).toEqual([1014, "the upstream broke off"]);
    }
  });

  test("R-F21: a client that vanishes is cut at the upstream, and the exchange is told", async () => {
    const outcomes: Outcome[] = [];
    const note: Middleware = (next) => (request) => {
      request.exchange.onEnd((outcome) => void outcomes.push(outcome));
      return next(request);
    };
    let inside: Promise<[number, string]> | null = null;
    const target = await upstream((socket) => {
      inside = closeOf(socket);
    });
    const { socket } = await open(await front({ target }, {}, [note]));
    socket.terminate();
    await expect.poll(() => outcomes).toMatchObject([{ status: 101, result: "gone", error: null }]);
    expect((await (inside as unknown as Promise<[number, string]>))[0]).toBe(1006);
  });

  test("a gateway that closes tells both sides 1012", async () => {
    let inside: Promise<[number, string]> | null = null;
    const target = await upstream((socket) => {
      inside = closeOf(socket);
    });
    const server = await front({ target });
    const { socket } = await open(server);
    const outside = closeOf(socket);
    await server.close();
    expect((await outside)[0]).toBe(1012);
    expect((await (inside as unknown as Promise<[number, string]>))[0]).toBe(1012);
  });

  test("an upstream that never ends its part is cut at the deadline", async () => {
    const connections: Socket[] = [];
    const target = await upstream((socket) => {
      const wire = (socket as unknown as { _socket: Socket })._socket;
      connections.push(wire);
      wire.removeAllListeners("data"); // deaf
    });
    const server = await front({ target, webSocket: { closeTimeoutMs: 60_000 } }, { gracefulTimeoutMs: 100 });
    await open(server);
    const closed = once(connections[0] as Socket, "close");
    (connections[0] as Socket).resume();
    await server.close();
    await closed;
  });

  test("pings: the upstream's are answered, and one that answers none of ours is given up", async () => {
    let pongs = 0;
    const alive = await upstream((socket) => {
      socket.on("pong", () => {
        pongs++;
        socket.send("answered");
      });
      socket.ping();
    });
    const { socket } = await open(await front({ target: alive }));
    await once(socket, "message");
    expect(pongs).toBe(1);
    const deaf = await upstream(() => {}, { autoPong: false });
    const { socket: given } = await open(await front({ target: deaf, webSocket: { pingIntervalMs: 50 } }));
    expect((await closeOf(given))[0]).toBe(1014);
  });
});

describe("pace", () => {
  const MESSAGE = Buffer.alloc(100_000);

  test("R-H15: an upstream that does not read makes the client wait, and gets everything in the end", async () => {
    let inside: WebSocket | null = null;
    let received = 0;
    const target = await upstream((socket) => {
      inside = socket;
      socket.pause();
      socket.on("message", () => received++);
    });
    const { socket } = await open(await front({ target }));
    for (let n = 0; n < 200; n++) socket.send(MESSAGE);
    await expect.poll(isSteady(() => socket.bufferedAmount)).toBe(true);
    expect(socket.bufferedAmount).toBeGreaterThan(1_000_000);
    (inside as unknown as WebSocket).resume();
    await expect.poll(() => received, { timeout: 10_000 }).toBe(200);
  });

  test("R-H15: a client that does not read makes the upstream wait, and gets everything in the end", async () => {
    let inside: WebSocket | null = null;
    const target = await upstream((socket) => {
      inside = socket;
      for (let n = 0; n < 200; n++) socket.send(MESSAGE);
    });
    const { socket } = await open(await front({ target }));
    socket.pause();
    const unsent = (): number => (inside as WebSocket | null)?.bufferedAmount ?? 0;
    await expect.poll(isSteady(unsent)).toBe(true);
    expect(unsent()).toBeGreaterThan(1_000_000);
    let received = 0;
    socket.on("message", () => received++);
    socket.resume();
    await expect.poll(() => received, { timeout: 10_000 }).toBe(200);
  });

  test("an upstream that takes nothing for too long is given up", async () => {
    const target = await upstream((socket) => socket.pause());
    const options = { target, idleTimeoutMs: 100, webSocket: { pingIntervalMs: 0 } };
    const { socket } = await open(await front(options));
    for (let n = 0; n < 200; n++) socket.send(MESSAGE);
    expect((await closeOf(socket))[0]).toBe(1014);
  });
});
