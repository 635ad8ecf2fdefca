// The published list of WebSocket conformance cases (Autobahn testsuite, groups 1 to 7, 9, 10) against an echoing app,
// over HTTP/1.1, over HTTP/2 and through a proxy, byte by byte as the list says. docs/http.md says how the original suite is run.
import { type AppSource, HeaderList, type WebSocketAccept } from "@gw/core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { proxy, type RunningServer, type ServeOptions, serve } from "../src/index.ts";
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

describe.each<[carrier: string, http: 1 | 2, open: OpenWire, isProxied: boolean]>([
  ["HTTP/1.1", 1, overHttp1, false],
  ["HTTP/2", 2, overHttp2, false],
  ["HTTP/1.1 and a proxy", 1, overHttp1, true],
])("R-H13, R-H15: WebSockets over %s", (_, http, open, isProxied) => {
  let server: RunningServer;
  let echoing: RunningServer | null = null;
  let wire: Wire | null = null;

  const start = async (app: AppSource, options: ServeOptions = {}): Promise<RunningServer> => {
    const webSocket = { maxMessageBytes: 20_000_000, maxUnsentBytes: 64_000_000, closeTimeoutMs: 2_000 };
    const started = serve(app, { bind: "127.0.0.1:0", idleGraceMs: 0, webSocket, ...options });
    await started.ready;
    return started;
  };

  beforeAll(async () => {
    if (isProxied) echoing = await start(() => echo);
    const target = echoing?.url ?? "";
    server = await start(isProxied ? proxy({ target, webSocket: { maxMessageBytes: 20_000_000 } }) : () => echo, {
      http,
    });
  });
  afterEach(() => wire?.destroy());
  afterAll(async () => {
    await server.close();
    await echoing?.close();
  });

  test.each(CASES.map((one) => [one.id, one.about, one] as const))("%s %s", async (_id, _about, one) => {
    wire = await open(server);
    await runCase(wire, one);
  });
});
