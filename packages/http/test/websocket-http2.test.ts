// WebSockets over HTTP/2 (RFC 8441), frames by hand: no client library speaks it.
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from "node:http2";
import {
  type AppSource,
  type GatewayRequest,
  HeaderList,
  type Outcome,
  text,
  type WebSocketAccept,
  type WebSocketPeer,
} from "@gw/core";
import { afterEach, expect, test } from "vitest";
import { type RunningServer, type ServeOptions, serve } from "../src/index.ts";
import { block, DATA, END_HEADERS, HEADERS, PREFACE, RST_STREAM, readFrames, frame as wireFrame } from "./frames.ts";
import { raw } from "./raw.ts";
import { CLOSE, closePayload, maskedFrame, TEXT } from "./websocket-cases/frames.ts";

const servers: RunningServer[] = [];
const sessions: ClientHttp2Session[] = [];

afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy();
  for (const server of servers.splice(0)) await server.close();
});

function accept(run: (peer: WebSocketPeer) => Promise<void>, rest: Partial<WebSocketAccept> = {}): WebSocketAccept {
  return { kind: "accept", subprotocol: null, headers: HeaderList.empty, run, ...rest };
}

async function echo(peer: WebSocketPeer): Promise<void> {
  for await (const message of peer) await peer.send(message.isText ? message.text() : message.bytes);
}

async function listen(
  app: AppSource,
  options: ServeOptions = {},
): Promise<{ server: RunningServer; session: ClientHttp2Session }> {
  const server = serve(app, {
    bind: "127.0.0.1:0",
    http: 2,
    idleGraceMs: 0,
    webSocket: { closeTimeoutMs: 200 },
    ...options,
  });
  servers.push(server);
  await server.ready;
  const session = connect(server.url);
  session.on("error", () => {});
  sessions.push(session);
  await once(session, "remoteSettings");
  return { server, session };
}

interface Tunnel {
  readonly stream: ClientHttp2Stream;
  readonly headers: Record<string, unknown>;
  /** All bytes once they match; they are kept. */
  until(pattern: RegExp): Promise<string>;
}

async function open(session: ClientHttp2Session, fields: OutgoingHttpHeaders = {}): Promise<Tunnel> {
  const stream = session.request(
    {
      ":method": "CONNECT",
      ":protocol": "websocket",
      ":scheme": "http",
      ":path": "/",
      "sec-websocket-version": "13",
      ...fields,
    },
    { endStream: false },
  );
  stream.on("error", () => {});
  let received = "";
  stream.setEncoding("latin1");
  stream.on("data", (bytes: string) => {
    received += bytes;
  });
  const [headers] = await once(stream, "response");
  return {
    stream,
    headers,
    async until(pattern) {
      await expect.poll(() => received).toMatch(pattern);
      return received;
    },
  };
}

const frame = (payload: string): Buffer => maskedFrame({ opcode: TEXT, payload });
const closing = (code: number): Buffer => maskedFrame({ opcode: CLOSE, payload: closePayload(code) });

test("opens with 200 and carries messages; the app sees the same request as over HTTP/1.1", async () => {
  let seen: GatewayRequest | undefined;
  const outcomes: Outcome[] = [];
  const { session } = await listen((request) => {
    seen = request;
    request.exchange.onEnd((outcome) => void outcomes.push(outcome));
    return accept(echo, {
      subprotocol: "b",
      headers: HeaderList.from([
        ["Set-Cookie", "a=1"],
        ["Set-Cookie", "b=2"],
      ]),
    });
  });
  const tunnel = await open(session, { ":path": "/chat?x", "sec-websocket-protocol": "a, b" });
  expect(tunnel.headers).toMatchObject({ ":status": 200, "sec-websocket-protocol": "b", "set-cookie": ["a=1", "b=2"] });
  expect(tunnel.headers).not.toHaveProperty("sec-websocket-accept");
  expect(seen).toMatchObject({
    kind: "websocket",
    method: "GET",
    protocol: "HTTP/2.0",
    path: "/chat",
    query: "x",
    subprotocols: ["a", "b"],
  });
  tunnel.stream.write(frame("hello"));
  await tunnel.until(/^\x81\x05hello$/);
  tunnel.stream.write(Buffer.concat([frame("one"), frame("two")]));
  await tunnel.until(/\x81\x03one\x81\x03two$/);
  tunnel.stream.write(closing(1000));
  await tunnel.until(/\x88\x02\x03\xe8$/);
  tunnel.stream.end();
  await expect.poll(() => outcomes).toEqual([{ status: 101, bytesSent: 11, result: "sent", error: null }]);
});

test("refuses with an ordinary response, and turns 2xx into 501", async () => {
  const { session } = await listen((request) =>
    request.path === "/login" ? text("log in first", { status: 401 }) : text("a page"),
  );
  const refused = await open(session, { ":path": "/login" });
  expect(refused.headers[":status"]).toBe(401);
  await refused.until(/^log in first$/);
  expect((await open(session)).headers[":status"]).toBe(501);
});

test.each<[string, OutgoingHttpHeaders, number]>([
  ["another version", { "sec-websocket-version": "8" }, 426],
  ["an Origin of another host", { origin: "http://evil.example" }, 403],
  ["a malformed list of subprotocols", { "sec-websocket-protocol": "a,,b" }, 400],
])("R-H13, R-H14: an opening with %s is refused", async (_, fields, status) => {
  const { session } = await listen(() => accept(echo));
  expect((await open(session, fields)).headers[":status"]).toBe(status);
});

test("ordinary streams and sockets share the connection", async () => {
  const { session } = await listen((request) => (request.kind === "websocket" ? accept(echo) : text("page")));
  const tunnel = await open(session);
  const stream = session.request({ ":path": "/" });
  expect((await once(stream, "response"))[0][":status"]).toBe(200);
  tunnel.stream.write(frame("still here"));
  await tunnel.until(/still here$/);
});

test("large messages pass in both directions", async () => {
  const { session } = await listen(() => accept(echo));
  const tunnel = await open(session);
  const message = "0123456789".repeat(50_000);
  tunnel.stream.write(
    Buffer.concat([Buffer.from("\x81\xff\0\0\0\0\x00\x07\xa1\x20\0\0\0\0", "latin1"), Buffer.from(message)]),
  );
  const received = await tunnel.until(/9$/);
  await expect.poll(() => received.length >= 0 && tunnel.stream.readableLength).toBe(0);
  expect((await tunnel.until(/^\x81\x7f[\s\S]{8}[0-9]{500000}$/)).length).toBe(500_010);
});

test("a stream that is reset ends the iteration and fires signal", async () => {
  let seen: GatewayRequest | undefined;
  const events: string[] = [];
  const { session } = await listen((request) => {
    seen = request;
    request.exchange.onEnd(({ result }) => void events.push(result));
    return accept(async (peer) => {
      for await (const _message of peer);
      events.push("over");
    });
  });
  const tunnel = await open(session);
  tunnel.stream.close(8);
  await expect.poll(() => events).toEqual(["over", "gone"]);
  expect(seen?.signal.aborted).toBe(true);
});

test("close() of the server closes sockets with 1012", async () => {
  const { server, session } = await listen(() => accept(echo));
  const tunnel = await open(session);
  const closed = server.close();
  await tunnel.until(/\x88.\x03\xf4/);
  tunnel.stream.end(Buffer.from("\x88\x82\0\0\0\0\x03\xf4", "latin1"));
  await closed;
});

test("a close frame right before the reset of its stream is still seen, and the message before it", async () => {
  const events: unknown[] = [];
  const { server } = await listen(() =>
    accept(async (peer) => {
      for await (const message of peer) events.push(message.text());
      events.push((await peer.closed).code);
    }),
  );
  const connection = await raw(server);
  const opening = [
    [":method", "CONNECT"],
    [":protocol", "websocket"],
    [":scheme", "http"],
    [":path", "/"],
    [":authority", "h"],
  ] as const;
  connection.socket.write(
    Buffer.concat([PREFACE, wireFrame(HEADERS, END_HEADERS, 1, block([...opening, ["sec-websocket-version", "13"]]))]),
  );
  await expect.poll(() => readFrames(connection.received()).some(({ type }) => type === HEADERS)).toBe(true);
  const last = Buffer.concat([frame("hi"), closing(1001)]);
  const reset = wireFrame(RST_STREAM, 0, 1, Uint8Array.of(0, 0, 0, 8));
  connection.socket.write(Buffer.concat([wireFrame(DATA, 0, 1, last), reset]));
  await expect.poll(() => events).toEqual(["hi", 1001]);
  connection.socket.destroy();
});
