import { accept, compose, createContext, isPromise, text } from "@gw/core";
import { run, testRequest } from "@gw/core/testing";
import { expect, test } from "vitest";
import { type LimitConcurrencyOptions, limitConcurrency } from "./limit-concurrency.ts";

/** An app whose requests end when they are let go, oldest first. */
async function started(options: LimitConcurrencyOptions) {
  const held: (() => void)[] = [];
  const app = compose([limitConcurrency(options)], (request) =>
    request.kind === "websocket"
      ? accept(async (peer) => {
          for await (const _ of peer);
        })
      : new Promise((done) => held.push(() => done(text("served")))),
  );
  const context = createContext();
  return { app: await run(app, { context }), source: app, context, held };
}

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((done) => setImmediate(done));
};

test("R-O10: beyond the limit requests wait, beyond the queue they are answered 503 with Retry-After", async () => {
  const { app, source, context, held } = await started({ limit: 2, maxQueued: 3, name: "x" });
  const asked = Array.from({ length: 9 }, () => app.request());
  await until(() => held.length === 2);
  const [refused] = await Promise.all(asked.slice(5));
  expect([refused?.status, refused?.headers.get("retry-after")]).toEqual([503, "1"]);
  expect(source.status?.().children?.[0]?.facts).toEqual({ limit: 2, running: 2, queued: 3 });
  const metrics = context.metrics.toText();
  expect(metrics).toContain('gw_permits{name="x"} 2\n');
  expect(metrics).toContain('gw_permits{name="x queue"} 3\n');
  expect(metrics).toContain('gw_concurrency_running{limit="x"} 2\n');
  expect(metrics).toContain('gw_concurrency_waiting{limit="x"} 3\n');
  expect(metrics).toContain('gw_concurrency_refused_total{limit="x",reason="full"} 4\n');
  for (let served = 0; served < 5; served++) {
    await until(() => held.length > 0);
    held.shift()?.();
  }
  expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 503, 503, 503, 503]);
  const after = context.metrics.toText();
  expect(after).toContain('gw_concurrency_running{limit="x"} 0\n');
  expect(after).toContain('gw_concurrency_waiting{limit="x"} 0\n');
  expect(after).toContain('gw_concurrency_wait_seconds_count{limit="x"} 3\n');
  await app.stop();
});

test("R-O10: at three times the capacity everything that can be served is served, however long it lasts", async () => {
  const periods = Math.max(20, Math.round(1_000 * Number(process.env.GW_SOAK ?? "0.05")));
  const { app, held } = await started({ limit: 4, maxQueued: 4 });
  const statuses = new Map<number, number>();
  const asked: Promise<void>[] = [];
  const offer = async (): Promise<void> => {
    const { status } = await app.request();
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  };
  for (let period = 0; period < periods; period++) {
    for (let count = 0; count < 12; count++) asked.push(offer());
    await until(() => held.length === 4);
    for (const end of held.splice(0)) end();
    await until(() => statuses.get(200) === 4 * (period + 1));
  }
  await until(() => held.length === 4);
  for (const end of held) end();
  await Promise.all(asked);
  // Four of each period's twelve, and the four that waited at the end.
  expect(Object.fromEntries(statuses)).toEqual({ 200: 4 * (periods + 1), 503: 8 * periods - 4 });
  await app.stop();
});

test("R-O10: who waits longer than it may is answered 503, and the app never sees it", async () => {
  const { app, held } = await started({ limit: 1, queueTimeoutMs: 10 });
  const first = app.request();
  await until(() => held.length === 1);
  expect((await app.request()).status).toBe(503);
  held[0]?.();
  expect((await first).status).toBe(200);
  expect(held).toHaveLength(1);
  await app.stop();
});

test("an open socket counts until it has closed", async () => {
  const { app, held } = await started({ limit: 1, maxQueued: 0 });
  const socket = await app.openSocket();
  expect((await app.request()).status).toBe(503);
  await socket.close();
  await socket.ended;
  const served = app.request();
  await until(() => held.length === 1);
  held[0]?.();
  expect((await served).status).toBe(200);
  await app.stop();
});

test("below the limit a sync app stays sync", () => {
  const handle = limitConcurrency({ limit: 1 })(() => text("at once"));
  expect(isPromise(handle(testRequest()))).toBe(false);
});

test("a request that is dispatched inside does not wait for itself", async () => {
  const app = compose([limitConcurrency({ limit: 1, maxQueued: 0 })], (request) =>
    request.kind === "http" && request.path === "/"
      ? request.exchange.dispatch({ ...request, path: "/inside" })
      : text(request.path),
  );
  const running = await run(app);
  expect(await (await running.request("/")).text()).toBe("/inside");
  await running.stop();
});

test.each<[Partial<LimitConcurrencyOptions>, string]>([
  [{ limit: 0 }, "limit: expected a whole number from 1 on, found 0"],
  [{ limit: 1.5 }, "limit: expected a whole number from 1 on, found 1.5"],
  [{ maxQueued: -1 }, "maxQueued: expected a whole number from 0 on, found -1"],
  [{ queueTimeoutMs: Number.NaN }, "queueTimeoutMs: expected a time up to 2147483647 milliseconds, found NaN"],
])("refuses %j", (options, message) => {
  expect(() => limitConcurrency({ limit: 1, ...options })).toThrow(
    expect.objectContaining({ code: "GW_CONCURRENCY", message: `limitConcurrency: ${message}` }),
  );
});
