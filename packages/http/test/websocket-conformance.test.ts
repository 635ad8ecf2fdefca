// The published list of WebSocket conformance cases (Autobahn testsuite, groups 1 to 7, 9, 10) against an echoing app,
// over HTTP/1.1 and over HTTP/2, byte by byte as the list says. docs/http.md says how the original suite is run.
import { HeaderList, type WebSocketAccept } from "@gw/core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type RunningServer, serve } from "../src/index.ts";
import { runCase, type WireCase } from "./websocket-cases/case.ts";
import { closingCases } from "./websocket-cases/closing.ts";
import { framingCases } from "./websocket-cases/framing.ts";
import { limitCases } from "./websocket-cases/limits.ts";
import { utf8Cases } from "./websocket-cases/utf8.ts";
import { type OpenWire, overHttp1, overHttp2, type Wire } from "./websocket-cases/wire.ts";

/** 1: messages as large and as many as published. */
const scale = Number(process.env.GW_SOAK ?? 0.05);

const echo: WebSocketAccept = {
  kind: "accept",
  subprotocol: null,
  headers: HeaderList.empty,
  async run(peer) {
    for await (const message of peer) await peer.send(message.isText ? message.text() : message.bytes);
  },
};

const CASES: readonly WireCase[] = [...framingCases(), ...utf8Cases(), ...closingCases(), ...limitCases(scale)];

test("the list has its 301 cases", () => {
  expect(CASES).toHaveLength(301);
  expect(new Set(CASES.map(({ id }) => id)).size).toBe(301);
});

describe.each<[carrier: string, http: 1 | 2, open: OpenWire]>([
  ["HTTP/1.1", 1, overHttp1],
  ["HTTP/2", 2, overHttp2],
])("R-H13, R-H15: WebSockets over %s", (_, http, open) => {
  let server: RunningServer;
  let wire: Wire | null = null;

  beforeAll(async () => {
    const webSocket = { maxMessageBytes: 20_000_000, maxUnsentBytes: 64_000_000, closeTimeoutMs: 2_000 };
    server = serve(() => echo, { bind: "127.0.0.1:0", http, idleGraceMs: 0, webSocket });
    await server.ready;
  });
  afterEach(() => wire?.destroy());
  afterAll(() => server.close());

  test.each(CASES.map((one) => [one.id, one.about, one] as const))("%s %s", async (_id, _about, one) => {
    wire = await open(server);
    await runCase(wire, one);
  });
});
