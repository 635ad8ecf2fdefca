// Many slow clients, and a backend that goes and comes back.
import { createContext, silentLogger } from "@gw/core";
import { type RunningApp, run } from "@gw/core/testing";
import { afterEach, expect, test } from "vitest";
import { RecordType, writeRecord } from "../src/codec/index.ts";
import { type FastcgiOptions, fastcgi } from "../src/index.ts";
import { fakeBackend, type Script, type Visit } from "./fake-backend.ts";

const running: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of running.splice(0).reverse()) await stop();
});

async function app(options: FastcgiOptions): Promise<RunningApp> {
  const started = await run(fastcgi(options), { context: createContext({ log: silentLogger }) });
  running.push(() => started.stop(AbortSignal.abort()));
  return started;
}

const HEAD = "Content-Type: text/plain\r\n\r\n";
const hello: Script = ({ kind }, visit) => {
  if (kind !== "inputEnd") return;
  visit.output(`${HEAD}hello`);
  visit.end();
};

/** Writes as fast as the client takes it. */
function pour(visit: Visit, bytes: number, chunk: Uint8Array): void {
  let left = bytes;
  const fill = (): void => {
    while (left > 0) {
      left -= chunk.length;
      if (!visit.socket.write(writeRecord(RecordType.stdout, 1, chunk))) return void visit.socket.once("drain", fill);
    }
    visit.end();
  };
  fill();
}

test("R-F20: two hundred clients that do not read take bounded memory, and others are served", async () => {
  const [clients, bytes, chunk] = [200, 1_500_000, Buffer.alloc(50_000, "x")];
  const { address, close } = await fakeBackend((event, visit) => {
    if (event.kind !== "inputEnd") return;
    const asked = visit.events.findLast(({ kind }) => kind === "request");
    if (asked?.kind === "request" && asked.params.get("PATH_INFO") === "/hello") return hello(event, visit);
    visit.output(HEAD);
    pour(visit, bytes, chunk);
  });
  running.push(close);
  const { request } = await app({ address, maxConnections: clients + 4 });
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let begun = 0;
  let allBegun = (): void => {};
  const haveBegun = new Promise<void>((resolve) => {
    allBegun = resolve;
  });
  const before = process.memoryUsage().arrayBuffers;
  const slow = Array.from({ length: clients }, async () => {
    let isFirst = true;
    const answer = await request("/slow", {
      async onChunk() {
        if (isFirst && ++begun === clients) allBegun();
        isFirst = false;
        await held;
      },
    });
    return answer.bytes.length;
  });
  await haveBegun;
  for (let at = 0; at < 20; at++) expect((await request("/hello")).text()).toBe("hello");
  const grown = process.memoryUsage().arrayBuffers - before;
  expect(grown, "of 300 MB that are on their way").toBeLessThan(150_000_000);
  release();
  expect(new Set(await Promise.all(slow))).toEqual(new Set([bytes]));
}, 30_000);

test("R-F23: a unix socket that is gone is a 502 at once; when it is back, so is the mount", async () => {
  const first = await fakeBackend(hello);
  const { request } = await app({ address: first.address, queueTimeoutMs: 1_000 });
  expect((await request()).text()).toBe("hello");
  await first.close();
  for (const init of [{}, { method: "POST", body: "x" }]) {
    const asked = performance.now();
    expect((await request("/", init)).status).toBe(502);
    expect(performance.now() - asked).toBeLessThan(1_000);
  }
  const second = await fakeBackend(hello, () => {}, first.path);
  running.push(second.close);
  expect((await request("/", { method: "POST", body: "x" })).text()).toBe("hello");
});

test("R-F23: a backend that refuses for a while costs nothing where there is another", async () => {
  const [one, other] = [await fakeBackend(hello), await fakeBackend(hello)];
  running.push(other.close);
  const { request } = await app({ addresses: [one.address, other.address], pauseMs: [10, 10] });
  for (let at = 0; at < 4; at++) expect((await request("/", { method: "POST", body: "x" })).status).toBe(200);
  await one.close();
  for (let at = 0; at < 8; at++) expect((await request("/", { method: "POST", body: "x" })).status).toBe(200);
});
