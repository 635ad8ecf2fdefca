// A peer that means harm: random records, cut, cut off, half closed and left alone. GW_SOAK=1 is the whole of it, 20 times as much.
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { type GatewayRequest, HeaderList, html, http, readText, text } from "@gw/core";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RecordDecoder, RecordType, writeBeginRequest, writeParams, writeRecord } from "../src/codec/index.ts";
import { filterData, type RunningFastcgiServer, serveFastcgi } from "../src/index.ts";
import { Client, requestBytes } from "./client.ts";

const RUNS = process.env.GW_SOAK === undefined ? 20 : Math.round(Number(process.env.GW_SOAK) * 400);

const running = new Set<string>();
let begun = 0;
let strays: unknown[] = [];
const servers: RunningFastcgiServer[] = [];
const stray = (error: unknown): void => void strays.push(error);

const untilAborted = (request: GatewayRequest): Promise<void> =>
  new Promise((resolve) => {
    if (request.signal.aborted) resolve();
    else request.signal.addEventListener("abort", () => resolve(), { once: true });
  });

/** What apps do with a request, by its path. */
const apps: Readonly<Record<string, (request: GatewayRequest) => unknown>> = {
  "/echo": async (request) => text(await readText(request as never)),
  "/unread": () => html("unread"),
  "/late": async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return text("late");
  },
  "/hang": async (request) => {
    await untilAborted(request);
    return text("never");
  },
  "/throw": () => {
    throw new Error("thrown");
  },
  "/large": () => ({ kind: "response", status: 200, headers: HeaderList.empty, body: new Uint8Array(300_000) }),
  "/stream": () => ({ kind: "response", status: 200, headers: HeaderList.empty, body: pieces(20) }),
  "/cut": () => ({ kind: "response", status: 200, headers: HeaderList.empty, body: pieces(2, new Error("cut")) }),
  "/data": async (request) => {
    let bytes = 0;
    for await (const chunk of filterData(request)?.body ?? request.body) bytes += chunk.length;
    return text(String(bytes));
  },
};

async function* pieces(count: number, error?: Error): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < count; at++) {
    await new Promise((resolve) => setImmediate(resolve));
    yield new Uint8Array(5_000);
  }
  if (error !== undefined) throw error;
}

const app = http((request) => {
  const name = `${request.path} ${begun++}`;
  running.add(name);
  request.exchange.onEnd(() => void running.delete(name));
  return (apps[request.path] ?? apps["/echo"])?.(request) as never;
});

async function serve(role: "responder" | "filter"): Promise<RunningFastcgiServer> {
  const server = serveFastcgi(app, {
    listen: "127.0.0.1:0", // a unix socket cannot be reset
    role,
    maxRequestsPerConnection: 5,
    headerTimeoutMs: 60,
    bodyTimeoutMs: 60,
    minBodyBytesPerSecond: 100_000,
    requestTimeoutMs: 120,
    writeTimeoutMs: 60,
    maxParamsBytes: 20_000,
    maxBodyBytes: 1_000_000,
    maxSpoolBytes: 100_000,
  });
  await server.ready;
  servers.push(server);
  return server;
}

function portOf({ addresses: [address] }: RunningFastcgiServer): number {
  return (address as { port: number }).port;
}

beforeAll(() => {
  process.on("uncaughtException", stray).on("unhandledRejection", stray);
});

afterAll(async () => {
  process.off("uncaughtException", stray).off("unhandledRejection", stray);
  for (const server of servers) {
    void server.close();
    await server.close();
  }
});

const id = fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 1, max: 3 }) }, fc.constantFrom(0, 6, 255, 256, 65_535));
const role = fc.constantFrom("responder", "filter", "authorizer" as const);
const nothing = new Uint8Array(0);
const content = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.integer({ min: 0, max: 65_535 }).map((length) => new Uint8Array(length)),
);
const path = fc.constantFrom(...Object.keys(apps));
const padded = fc.tuple(content, fc.integer({ min: 0, max: 255 })).map(([bytes, padding]) => ({ bytes, padding }));

const record = fc.tuple(fc.integer({ min: 0, max: 13 }), id, padded).map(([type, one, { bytes, padding }]) => {
  const whole = Buffer.concat([writeRecord(type, one, bytes), new Uint8Array(padding)]);
  whole[6] = padding;
  return whole;
});
const opening = fc
  .tuple(id, role, fc.boolean(), path, fc.option(fc.integer({ min: -2, max: 200_000 })))
  .map(([one, as, keep, PATH_INFO, length]) => {
    const pairs: [string, string][] = [
      ["REQUEST_METHOD", "POST"],
      ["SCRIPT_NAME", ""],
      ["PATH_INFO", PATH_INFO],
      ["SERVER_PROTOCOL", "HTTP/1.1"],
      ...(length === null ? [] : ([["CONTENT_LENGTH", String(length)]] as [string, string][])),
    ];
    const params = [writeParams(pairs), nothing].map((part) => writeRecord(RecordType.params, one, part));
    return Buffer.concat([writeBeginRequest(one, as, keep), ...params]);
  });
const whole = fc
  .tuple(id, path, fc.uint8Array({ maxLength: 300 }), fc.boolean())
  .map(([one, PATH_INFO, body, keep]) => requestBytes(one, { PATH_INFO }, { body, keep }));
const endOfInput = id.map((one) => writeRecord(RecordType.stdin, one, nothing));
const abort = id.map((one) => writeRecord(RecordType.abortRequest, one, nothing));
const noise = fc.uint8Array({ minLength: 1, maxLength: 30 });

const bytes = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: opening },
      { weight: 4, arbitrary: whole },
      { weight: 3, arbitrary: endOfInput },
      { weight: 2, arbitrary: abort },
      { weight: 3, arbitrary: record },
      { weight: 1, arbitrary: noise },
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((parts) => shown(Buffer.concat(parts)));

/** What a failure shows of it is short. */
function shown(all: Buffer): Buffer {
  return Object.assign(all, {
    [fc.toStringMethod]: () => `${all.length} bytes: ${all.toString("hex").slice(0, 1_000)}`,
  });
}

const attack = fc.record({
  role: fc.constantFrom("responder" as const, "filter" as const),
  bytes,
  cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 }),
  isDeaf: fc.boolean(),
  last: fc.constantFrom("end" as const, "destroy" as const, "reset" as const, "stay" as const),
});
type Attack = typeof attack extends fc.Arbitrary<infer Value> ? Value : never;

/** Sends it all; gives what came back once the connection is closed, by whoever. */
async function launch({ bytes: all, cuts, isDeaf, last }: Attack, port: number): Promise<Buffer> {
  const socket: Socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => {}); // who attacks is cut off
  const came: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => void came.push(chunk));
  const closed = new Promise((resolve) => socket.on("close", resolve));
  await once(socket, "connect");
  if (isDeaf) socket.pause();
  let from = 0;
  for (const at of [...cuts.map((cut) => Math.floor(cut * all.length)).sort((one, other) => one - other), all.length]) {
    socket.write(all.subarray(from, at));
    from = at;
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (last === "end") socket.end();
  if (last === "destroy") socket.destroy();
  if (last === "reset") socket.resetAndDestroy();
  // Who is put out by no limit (an app that hangs is waited for, and so is who asks nothing) leaves by itself.
  setTimeout(() => socket.destroy(), 250);
  if (isDeaf) setTimeout(() => socket.resume(), 150);
  await closed;
  return Buffer.concat(came);
}

test("R-F1…R-F9: whatever a peer sends, others are served, each request ends, and nothing is left behind", async () => {
  const [responder, filter] = [await serve("responder"), await serve("filter")];
  const ports = { responder: portOf(responder), filter: portOf(filter) };
  const witness = await Client.openTo(responder);
  let token = 0;
  const served = async (): Promise<void> => {
    const body = Buffer.from(`witness ${token++}`);
    expect((await witness.request({ PATH_INFO: "/echo" }, { body })).body).toBe(body.toString());
  };
  await served();
  const openFiles = (await readdir("/proc/self/fd").catch(() => [])).length;
  await fc.assert(
    fc.asyncProperty(fc.array(attack, { minLength: 8, maxLength: 24 }), async (attacks) => {
      strays = [];
      const answers = Promise.all(attacks.map((one) => launch(one, ports[one.role])));
      await served();
      for (const answer of await answers) {
        const decoder = new RecordDecoder();
        const parts = decoder.feed(answer);
        // What breaks off ends in bytes of version 0, and nothing else is no record.
        if (decoder.failure !== null) expect(decoder.failure.message).toContain("found version 0");
        for (const { type } of parts) expect([3, 6, 7, 10, 11]).toContain(type);
      }
      await served();
      for (let looks = 0; running.size > 0 && looks < 200; looks++)
        await new Promise((resolve) => setTimeout(resolve, 10));
      expect([[...running], strays]).toEqual([[], []]);
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
  witness.socket.destroy();
  expect((await readdir("/proc/self/fd").catch(() => [])).length).toBeLessThanOrEqual(openFiles + 1);
}, 120_000);
