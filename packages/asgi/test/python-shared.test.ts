// Two gateway processes, as far as a Python ASGI app can tell, that use the same workers.
import { join } from "node:path";
import type { RunningApp } from "@gw/core/testing";
import { requires } from "@gw-private/requires";
import { type SiblingGateways, siblingGateways } from "@gw-private/sibling-gateways";
import { afterEach, expect } from "vitest";
import { type PythonAsgiOptions, pythonAsgi } from "../src/python.ts";

const withPython = requires("python3", "/proc/net/unix");
const cwd = `${import.meta.dirname}/python`;
/** Made by `.ci/run`, with uvloop in it. */
const uvloopPython = join(import.meta.dirname, "../../../node_modules/.cache/python/bin/python");
const stops: (() => Promise<unknown>)[] = [];

async function gateways(name: string, options: PythonAsgiOptions = {}): Promise<SiblingGateways> {
  const app = `asgi_apps:${name}`;
  const started = await siblingGateways(() => pythonAsgi(app, { cwd, workers: 1, backOffMs: [20, 50], ...options }));
  stops.push(started.stop);
  return started;
}

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

const texts = async (...running: RunningApp[]): Promise<string[]> =>
  Promise.all(running.map(async (app) => (await app.request("/")).text()));

withPython("workers run once for several gateway processes, and serve each of them", async () => {
  const { one, two } = await gateways("pid");
  const [first, second] = await texts(one, two);
  expect(first).toMatch(/^\d+$/);
  expect(second).toBe(first);
  await one.stop();
  expect(await texts(two)).toEqual([first]);
});

requires(uvloopPython, "/proc/net/unix")("on uvloop, too", async () => {
  const { one, two, logged } = await gateways("with_lifespan", { python: uvloopPython });
  expect(await texts(one, two)).toEqual(["yes", "yes"]);
  const end = logged(/^shut down$/);
  await Promise.all([one.stop(), two.stop()]);
  await end;
});

withPython("R-W8: one lifespan for all: its state is everybody's, and its shutdown runs once, in the end", async () => {
  const { one, two, logged, stop } = await gateways("with_lifespan");
  expect(await texts(one, two)).toEqual(["yes", "yes"]);
  const end = logged(/^shut down$/);
  await one.stop();
  expect(await texts(two)).toEqual(["yes"]);
  await stop();
  await end;
});

withPython("R-W8: a startup that fails is 503 for all, and says why", async () => {
  const { one, two, logged } = await gateways("fails_to_start", { backOffMs: [60_000, 60_000] });
  expect([(await one.request("/")).status, (await two.request("/")).status]).toEqual([503, 503]);
  await logged(/the app's startup failed: no database/);
});

withPython("bodies stream both ways over each connection", async () => {
  const { one, two } = await gateways("echo");
  const bodies = [Buffer.alloc(2_000_000, "one "), Buffer.alloc(3_000_000, "two ")] as const;
  const answers = await Promise.all([
    one.request("/", { method: "POST", body: bodies[0] }),
    two.request("/", { method: "POST", body: bodies[1] }),
  ]);
  expect(answers.map(({ bytes }, at) => Buffer.compare(bytes, bodies[at] as Buffer))).toEqual([0, 0]);
});

withPython("R-O2: workers are replaced for all, and no request fails", async () => {
  const { one, two, reload } = await gateways("pid");
  const [before] = await texts(one);
  const answers: number[] = [];
  let isOver = false;
  const clients = [one, two].map(async (app) => {
    while (!isOver) {
      answers.push((await app.request("/")).status);
      await new Promise((done) => setImmediate(done));
    }
  });
  await reload();
  await expect.poll(async () => new Set([before, ...(await texts(one, two))]).size, { timeout: 10_000 }).toBe(2);
  isOver = true;
  await Promise.all(clients);
  expect(answers.filter((status) => status !== 200)).toEqual([]);
  const [first, second] = await texts(one, two);
  expect([first === second, first === before]).toEqual([true, false]);
});

withPython("R-O5: one that is killed costs what it had in hand, and its successor serves all", async () => {
  const { one, two } = await gateways("pid");
  const [before] = await texts(one);
  expect((await one.request("/die")).status).toBe(502);
  await expect.poll(async () => (await texts(two))[0], { timeout: 10_000 }).toMatch(/^\d+$/);
  const [first, second] = await texts(one, two);
  expect([first === second, first === before]).toEqual([true, false]);
});

withPython("R-W9: a loop that is blocked shows its stack, and is replaced for all", async () => {
  const { one, two, logged } = await gateways("pid", { timeoutMs: 300, stopTimeoutMs: 500 });
  const stack = logged(/asgi_apps\.py", line \d+ in pid/);
  expect((await one.request("/block")).status).toBe(504);
  await stack;
  await expect.poll(async () => (await texts(two))[0], { timeout: 10_000 }).toMatch(/^\d+$/);
});

withPython(
  "sockets of one gateway stay open while the other leaves, and close with 1012 when theirs is replaced",
  async () => {
    const { one, two, reload } = await gateways("socket", { stopTimeoutMs: 1_200 });
    const socket = await two.openSocket("/");
    await one.stop();
    await socket.send("still here");
    expect(await socket.receive()).toBe("still here");
    await reload();
    expect((await socket.closed).code).toBe(1012);
  },
);

const opened = async (app: RunningApp, path = "/"): Promise<number> =>
  (await app.openSocket(path)).response?.status ?? 101;

withPython("maxSockets counts the sockets of all gateway processes together", async () => {
  const { one, two } = await gateways("socket", { maxSockets: 2, stopTimeoutMs: 1_200 });
  const [first, second] = [await one.openSocket("/"), await two.openSocket("/")];
  const refused = (await one.openSocket("/")).response;
  expect([refused?.status, refused?.headers.get("retry-after"), await opened(two)]).toEqual([503, "1", 503]);
  await second.send("still here");
  expect(await second.receive()).toBe("still here");
  await first.close(1000, "");
  expect(await opened(one, "/refuse")).toBe(403); // which has left its place again
  expect([await opened(one), await opened(two), await opened(one)]).toEqual([101, 503, 503]);
});

withPython("an opening goes on to another worker when other gateway processes have filled the first", async () => {
  const { one, two } = await gateways("socket", { workers: 2, maxSockets: 1, stopTimeoutMs: 1_200 });
  expect(await opened(one)).toBe(101);
  await expect.poll(() => opened(two)).toBe(101); // the second worker may still be starting
  expect([await opened(one), await opened(two)]).toEqual([503, 503]);
});
