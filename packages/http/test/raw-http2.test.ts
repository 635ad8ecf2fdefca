// R-H10 to R-H12: what a peer may not do on an HTTP/2 connection. Hand-written frames against a real socket.
import { text } from "@gw/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type RunningServer, type ServeOptions, serve } from "../src/index.ts";
import {
  ACK,
  block,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  frame,
  GOAWAY,
  get,
  goaways,
  HEADERS,
  PING,
  PREFACE,
  PRIORITY,
  PUSH_PROMISE,
  RST_STREAM,
  readFrames,
  resets,
  SETTINGS,
  WINDOW_UPDATE,
} from "./frames.ts";
import { type RawConnection, raw } from "./raw.ts";

let server: RunningServer;
const seen: string[] = [];
const fields: unknown[] = [];
const WHOLE = END_HEADERS | END_STREAM;

async function listen(options: ServeOptions = {}): Promise<void> {
  server = serve(
    async (request) => {
      fields.push(request.headers.toJSON());
      seen.push(request.headers.get("x-n") ?? request.target);
      let bytes = 0;
      for await (const chunk of request.body) bytes += chunk.length;
      return text(`${bytes}`);
    },
    { bind: "127.0.0.1:0", http: 2, idleGraceMs: 0, gracefulTimeoutMs: 1_000, ...options },
  );
  await server.ready;
}

beforeEach(() => listen());
afterEach(async () => {
  seen.length = 0;
  fields.length = 0;
  await server.close();
});

async function open(): Promise<RawConnection> {
  const connection = await raw(server);
  connection.write(PREFACE.toString("latin1"));
  return connection;
}

function send(connection: RawConnection, ...frames: readonly Buffer[]): void {
  connection.write(Buffer.concat(frames).toString("latin1"));
}

/** Sends frames; gives back all that came, once the server has answered the PING behind them, said GOAWAY or closed. */
async function answerTo(...frames: readonly Buffer[]): Promise<string> {
  const connection = await open();
  send(connection, ...frames, frame(PING, 0, 0, "01234567"));
  await connection.until(/\x06\x01\x00\x00\x00\x0001234567|\x07\x00\x00\x00\x00\x00.{7}[^\x00]/s).catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 20)); // answers of apps follow the PING's
  connection.socket.destroy();
  return connection.received();
}

test("answers a request written by hand", async () => {
  const received = await answerTo(frame(HEADERS, WHOLE, 1, get()));
  expect(seen).toEqual(["/"]);
  expect(
    readFrames(received).some(
      ({ type, stream, payload }) => type === DATA && stream === 1 && payload.toString() === "0",
    ),
  ).toBe(true);
});

const PROTOCOL_ERROR = 1;
const FLOW_CONTROL_ERROR = 3;
const STREAM_CLOSED = 5;
const FRAME_SIZE_ERROR = 6;
const COMPRESSION_ERROR = 9;
const ENHANCE_YOUR_CALM = 11;
/** What Node 20 says for some of the errors that have a name of their own. */
const INTERNAL_ERROR = 2;

test.each<[string, Buffer]>([
  ["a name in upper case", get(["X-A", "1"])],
  ["connection", get(["connection", "close"])],
  ["keep-alive", get(["keep-alive", "1"])],
  ["proxy-connection", get(["proxy-connection", "close"])],
  ["transfer-encoding", get(["transfer-encoding", "chunked"])],
  ["upgrade", get(["upgrade", "websocket"])],
  ["te with anything but trailers", get(["te", "gzip"])],
  [
    "a pseudo field behind the others",
    block([
      [":method", "GET"],
      ["x-a", "1"],
      [":scheme", "http"],
      [":path", "/"],
      [":authority", "h"],
    ]),
  ],
  ["a pseudo field twice", get([":path", "/b"])],
  ["an unknown pseudo field", get([":status", "200"])],
  [
    "no :method",
    block([
      [":scheme", "http"],
      [":path", "/"],
      [":authority", "h"],
    ]),
  ],
  [
    "no :path",
    block([
      [":method", "GET"],
      [":scheme", "http"],
      [":authority", "h"],
    ]),
  ],
  [
    "no :scheme",
    block([
      [":method", "GET"],
      [":path", "/"],
      [":authority", "h"],
    ]),
  ],
  [
    "an empty :path",
    block([
      [":method", "GET"],
      [":scheme", "http"],
      [":path", ""],
      [":authority", "h"],
    ]),
  ],
  ["a content-length that is no number", get(["content-length", "+5"])],
  ["two lengths", get(["content-length", "5"], ["content-length", "5"])],
  [
    "no authority at all",
    block([
      [":method", "GET"],
      [":scheme", "http"],
      [":path", "/"],
    ]),
  ],
  [
    "an authority with a path",
    block([
      [":method", "GET"],
      [":scheme", "http"],
      [":path", "/"],
      [":authority", "h/x"],
    ]),
  ],
  [":protocol without CONNECT", get([":protocol", "websocket"])],
])("R-H11: a head with %s is reset, and no app sees it", async (_, head) => {
  const received = await answerTo(frame(HEADERS, WHOLE, 1, head));
  expect([...resets(received), ...goaways(received)]).toContain(PROTOCOL_ERROR);
  expect(seen).toEqual([]);
});

test.each<[string, [string, string]]>([
  ["a line break in its value", ["x-a", "1\r\nx-b: 2"]],
  ["NUL in its value", ["x-a", "\0"]],
  ["a blank in its name", ["x a", "1"]],
  ["a colon in its name", ["x:a", "1"]],
  ["no name", ["", "1"]],
])("R-H11: a field with %s is never seen by an app", async (_, field) => {
  await answerTo(frame(HEADERS, WHOLE, 1, get(["x-n", "1"], field)));
  expect(fields).toEqual([
    [
      ["host", "h"],
      ["x-n", "1"],
    ],
  ]); // nghttp2 drops the field and goes on
});

test.each<[string, Buffer]>([
  ["two authorities", get(["host", "other"])],
  [
    "TRACE",
    block([
      [":method", "TRACE"],
      [":scheme", "http"],
      [":path", "/"],
      [":authority", "h"],
    ]),
  ],
  [
    "CONNECT",
    block([
      [":method", "CONNECT"],
      [":authority", "h:80"],
    ]),
  ],
  [
    "another :protocol",
    block([
      [":method", "CONNECT"],
      [":protocol", "connect-udp"],
      [":scheme", "http"],
      [":path", "/"],
      [":authority", "h"],
    ]),
  ],
])("R-H11: a head with %s is refused by status, and no app sees it", async (_, head) => {
  const received = await answerTo(frame(HEADERS, WHOLE, 1, head));
  expect(seen).toEqual([]);
  const answer = readFrames(received).find(({ type }) => type === HEADERS);
  expect(answer?.payload.toString("latin1")).toMatch(/^(?:\x8c|.{0,3}(?:405|\x81\x01|h\x0e|\x08))/s); // 400, or 405 in some form
});

test.each<[string, Buffer[]]>([
  [
    "less data than its content-length",
    [frame(HEADERS, END_HEADERS, 1, get(["content-length", "9"])), frame(DATA, END_STREAM, 1, "hello")],
  ],
  ["no data, but a content-length", [frame(HEADERS, WHOLE, 1, get(["content-length", "5"]))]],
  [
    "trailers with a pseudo field",
    [frame(HEADERS, END_HEADERS, 1, get()), frame(HEADERS, WHOLE, 1, block([[":path", "/"]]))],
  ],
])("R-H11: a request with %s is reset", async (_, frames) => {
  expect(resets(await answerTo(...frames))).toContain(PROTOCOL_ERROR);
});

test("R-H11: an authority with a user is refused, and no app sees it", async () => {
  const fields: [string, string][] = [
    [":method", "GET"],
    [":scheme", "http"],
    [":path", "/"],
    [":authority", "u@h"],
  ];
  const received = await answerTo(frame(HEADERS, WHOLE, 1, block(fields)));
  expect(received.includes("400 Bad Request") || resets(received).includes(PROTOCOL_ERROR)).toBe(true); // Node 20: the former
  expect(seen).toEqual([]);
});

test("R-H12: after an error the connection closes, even if Node leaves it open", async () => {
  await server.close();
  await listen({ limits: { headerTimeoutMs: 100 } });
  const connection = await open();
  send(connection, frame(DATA, 0, 0, "x"));
  expect(goaways(await connection.end())).toContain(PROTOCOL_ERROR);
});

test("R-H11: more data than its content-length is refused", async () => {
  const frames = [frame(HEADERS, END_HEADERS, 1, get(["content-length", "3"])), frame(DATA, END_STREAM, 1, "hello")];
  const received = await answerTo(...frames);
  expect([...resets(received), ...goaways(received)].some((code) => code !== 0)).toBe(true);
});

test("R-H12: a stream whose id goes back is not served", async () => {
  await answerTo(frame(HEADERS, WHOLE, 5, get()), frame(HEADERS, WHOLE, 3, get()));
  expect(seen).toEqual(["/"]);
});

test.each<[string, Buffer[], number[]]>([
  ["DATA on stream 0", [frame(DATA, 0, 0, "x")], [PROTOCOL_ERROR]],
  ["DATA on an idle stream", [frame(DATA, 0, 1, "x")], [PROTOCOL_ERROR]],
  ["HEADERS on stream 0", [frame(HEADERS, WHOLE, 0, get())], [PROTOCOL_ERROR]],
  ["HEADERS on an even stream", [frame(HEADERS, WHOLE, 2, get())], [PROTOCOL_ERROR]],
  [
    "a frame between HEADERS and CONTINUATION",
    [frame(HEADERS, 0, 1, get()), frame(PING, 0, 0, "01234567")],
    [PROTOCOL_ERROR],
  ],
  ["CONTINUATION without HEADERS", [frame(CONTINUATION, END_HEADERS, 1, get())], [PROTOCOL_ERROR]],
  ["a header block that is none", [frame(HEADERS, WHOLE, 1, "\xff\xff\xff\xff\xff\xff")], [COMPRESSION_ERROR]],
  ["a PING of 7 bytes", [frame(PING, 0, 0, "0123456")], [FRAME_SIZE_ERROR]],
  ["a PING on a stream", [frame(PING, 0, 1, "01234567")], [PROTOCOL_ERROR]],
  ["SETTINGS of 5 bytes", [frame(SETTINGS, 0, 0, "01234")], [FRAME_SIZE_ERROR]],
  ["SETTINGS on a stream", [frame(SETTINGS, 0, 1)], [PROTOCOL_ERROR]],
  ["an ACK of SETTINGS with a payload", [frame(SETTINGS, ACK, 0, "012345")], [FRAME_SIZE_ERROR]],
  ["a window beyond 2^31 - 1 in SETTINGS", [frame(SETTINGS, 0, 0, "\x00\x04\x80\x00\x00\x00")], [FLOW_CONTROL_ERROR]],
  ["a WINDOW_UPDATE of 0", [frame(WINDOW_UPDATE, 0, 0, "\0\0\0\0")], [PROTOCOL_ERROR]],
  [
    "WINDOW_UPDATEs beyond 2^31 - 1",
    [frame(WINDOW_UPDATE, 0, 0, "\x7f\xff\xff\xff"), frame(WINDOW_UPDATE, 0, 0, "\x7f\xff\xff\xff")],
    [FLOW_CONTROL_ERROR],
  ],
  ["RST_STREAM on an idle stream", [frame(RST_STREAM, 0, 1, "\0\0\0\x08")], [PROTOCOL_ERROR]],
  ["RST_STREAM of 3 bytes", [frame(RST_STREAM, 0, 1, "\0\0\0")], [FRAME_SIZE_ERROR]],
  ["a frame larger than allowed", [frame(DATA, 0, 1, Buffer.alloc(20_000))], [FRAME_SIZE_ERROR, PROTOCOL_ERROR]],
  [
    "padding longer than the frame",
    [frame(HEADERS, WHOLE | 0x8, 1, Buffer.concat([Buffer.from([255]), get()]))],
    [PROTOCOL_ERROR],
  ],
  ["a PUSH_PROMISE from a client", [frame(PUSH_PROMISE, END_HEADERS, 1, "\0\0\0\x02")], [PROTOCOL_ERROR]],
])("R-H12: %s ends the connection with GOAWAY", async (_, frames, codes) => {
  const received = await answerTo(...frames);
  expect([...codes, INTERNAL_ERROR]).toContain(goaways(received)[0]);
});

test("R-H12: DATA behind END_STREAM is refused", async () => {
  const received = await answerTo(frame(HEADERS, WHOLE, 1, get()), frame(DATA, 0, 1, "x"));
  expect([...resets(received), ...goaways(received)]).toContain(STREAM_CLOSED);
});

test("R-H12: what does not start with the preface is no HTTP/2", async () => {
  const connection = await raw(server);
  connection.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const received = await connection.end();
  expect(received).not.toContain("HTTP/1.1");
  expect(seen).toEqual([]);
});

/** Sends the frames again and again until the server says GOAWAY; fails if it takes more than `most`. */
async function flood(frames: (n: number) => Buffer[], most: number): Promise<number[]> {
  const connection = await open();
  let isOver = false;
  connection.socket.on("close", () => {
    isOver = true;
  });
  for (let n = 0; n < most && !isOver; n += 100) {
    send(connection, ...Array.from({ length: 100 }, (_, i) => frames(n + i)).flat());
    await new Promise((resolve) => setImmediate(resolve));
  }
  return goaways(await connection.end());
}

const streamId = (n: number): number => n * 2 + 1;

test("R-H10: rapid resets end the connection", async () => {
  const codes = await flood(
    (n) => [frame(HEADERS, WHOLE, streamId(n), get()), frame(RST_STREAM, 0, streamId(n), "\0\0\0\x08")],
    20_000,
  );
  expect(codes.some((code) => code !== 0)).toBe(true);
  expect(seen.length).toBeLessThan(3_000);
});

test("R-H10: a flood of PING ends the connection", async () => {
  expect(await flood(() => [frame(PING, 0, 0, "01234567")], 20_000)).toContain(ENHANCE_YOUR_CALM);
});

test("R-H10: a flood of SETTINGS ends the connection", async () => {
  expect(await flood(() => [frame(SETTINGS, 0, 0)], 20_000)).toContain(ENHANCE_YOUR_CALM);
});

test("R-H10: a flood of empty DATA ends the connection", async () => {
  const codes = await flood((n) => (n === 0 ? [frame(HEADERS, END_HEADERS, 1, get())] : [frame(DATA, 0, 1)]), 20_000);
  expect(codes.some((code) => code !== 0)).toBe(true);
});

test("R-H10: a flood of empty CONTINUATION ends the connection", async () => {
  const codes = await flood((n) => (n === 0 ? [frame(HEADERS, 0, 1, get())] : [frame(CONTINUATION, 0, 1)]), 20_000);
  expect(codes.some((code) => code !== 0)).toBe(true);
});

test("R-H10: requests that are malformed again and again end the connection", async () => {
  const codes = await flood((n) => [frame(HEADERS, WHOLE, streamId(n), get(["X-A", "1"]))], 20_000);
  expect(codes.some((code) => code !== 0)).toBe(true);
});

test("R-H10: a header list beyond 32 kB is refused", async () => {
  const fields = get(...Array.from({ length: 40 }, (_, n): [string, string] => [`x-${n}`, "a".repeat(1_000)]));
  const chunks = Array.from({ length: Math.ceil(fields.length / 16_000) }, (_, n) =>
    fields.subarray(n * 16_000, (n + 1) * 16_000),
  );
  const frames = chunks.map((chunk, n) =>
    frame(
      n === 0 ? HEADERS : CONTINUATION,
      (n === 0 ? END_STREAM : 0) | (n === chunks.length - 1 ? END_HEADERS : 0),
      1,
      chunk,
    ),
  );
  expect(await answerTo(...frames)).toContain("431 Request Header Fields Too Large");
  expect(seen).toEqual([]);
});

test("R-H10: streams beyond the limit are refused", async () => {
  const received = await answerTo(
    ...Array.from({ length: 130 }, (_, n) => frame(HEADERS, END_HEADERS, streamId(n), get(["x-n", String(n)]))),
  );
  expect(seen.length).toBeLessThanOrEqual(100);
  expect(resets(received).length + goaways(received).length).toBeGreaterThanOrEqual(1);
});

test("R-H10: streams that stay idle end with 408", async () => {
  await server.close();
  await listen({ limits: { bodyTimeoutMs: 100 } });
  const connection = await open();
  send(connection, frame(HEADERS, END_HEADERS, 1, get()));
  await connection.until(/\x00\x00\x00\x01.*408 Request Timeout/s);
  connection.socket.destroy();
});

test("R-H10: PRIORITY frames do no harm", async () => {
  const received = await answerTo(
    ...Array.from({ length: 2_000 }, (_, n) => frame(PRIORITY, 0, streamId(n), "\0\0\0\0\x10")),
    frame(HEADERS, WHOLE, 9_001, get()),
  );
  expect(seen).toEqual(["/"]);
  expect(goaways(received).every((code) => code === 0)).toBe(true);
});

test("a peer that says GOAWAY still gets its answers", async () => {
  const connection = await open();
  send(connection, frame(HEADERS, WHOLE, 1, get()), frame(GOAWAY, 0, 0, "\0\0\0\0\0\0\0\0"));
  const received = await connection.end();
  expect(readFrames(received).some(({ type, stream }) => type === DATA && stream === 1)).toBe(true);
});
