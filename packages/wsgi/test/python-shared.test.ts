// Two gateway processes, as far as a Python app can tell, that use the same workers.
import type { RunningApp } from "@gw/core/testing";
import { requires } from "@gw-private/requires";
import { type SiblingGateways, siblingGateways } from "@gw-private/sibling-gateways";
import { afterEach, describe, expect } from "vitest";
import { type PythonWsgiOptions, pythonWsgi } from "../src/python.ts";
import { apps } from "./python-app.ts";

const withPython = requires("python3", "/proc/net/unix");
const stops: (() => Promise<unknown>)[] = [];

async function gateways(name: string, options: PythonWsgiOptions = {}): Promise<SiblingGateways> {
  const app = `wsgi_apps:${name}`;
  const started = await siblingGateways(() =>
    pythonWsgi(app, { cwd: apps, workers: 1, backOffMs: [20, 50], ...options }),
  );
  stops.push(started.stop);
  return started;
}

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

const texts = async (...running: RunningApp[]): Promise<string[]> =>
  Promise.all(running.map(async (app) => (await app.request("/")).text()));

describe.each([1, 4])("workers of several gateway processes, %i threads", (threads) => {
  withPython("run once, and serve all of them", async () => {
    const { one, two } = await gateways("pid", { threads });
    const [first, second] = await texts(one, two);
    expect(first).toMatch(/^\d+$/);
    expect(second).toBe(first);
    await one.stop();
    expect(await texts(two)).toEqual([first]);
  });

  withPython("stream both ways over each connection", async () => {
    const { one, two } = await gateways("echo", { threads });
    const bodies = [Buffer.alloc(2_000_000, "one "), Buffer.alloc(3_000_000, "two ")] as const;
    const answers = await Promise.all([
      one.request("/", { method: "POST", body: bodies[0] }),
      two.request("/", { method: "POST", body: bodies[1] }),
    ]);
    expect(answers.map(({ bytes }, at) => Buffer.compare(bytes, bodies[at] as Buffer))).toEqual([0, 0]);
  });

  withPython("R-O2: are replaced for all, and no request fails", async () => {
    const { one, two, reload } = await gateways("pid", { threads });
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
    const { one, two } = await gateways("suicide", { threads });
    const [before] = await texts(one);
    expect((await one.request("/die")).status).toBe(502);
    await expect.poll(async () => (await texts(two))[0], { timeout: 10_000 }).toMatch(/^\d+$/);
    const [first, second] = await texts(one, two);
    expect([first === second, first === before]).toEqual([true, false]);
  });
});

withPython("R-W9: one that hangs shows its stack, and is replaced for all", async () => {
  const { one, two, logged } = await gateways("loop", { threads: 1, timeoutMs: 300, stopTimeoutMs: 500 });
  expect((await one.request("/loop")).status).toBe(504);
  await logged(/wsgi_apps\.py", line \d+ in loop/);
  await expect.poll(async () => (await texts(two))[0], { timeout: 10_000 }).toMatch(/^\d+$/);
});

withPython("an app that cannot be imported is 503 for all, and says why", async () => {
  const { one, two, logged } = await gateways("nothing_of_this_name", { backOffMs: [60_000, 60_000] });
  expect([(await one.request("/")).status, (await two.request("/")).status]).toEqual([503, 503]);
  await logged(/the app could not be imported: AttributeError/);
});

withPython("R-W1: wsgi.multiprocess is true, and wsgi.multithread is what it is", async () => {
  const { one } = await gateways("environ_text", { threads: 1 });
  const text = (await one.request("/")).text();
  expect([/multiprocess=(\w+)/.exec(text)?.[1], /multithread=(\w+)/.exec(text)?.[1]]).toEqual(["True", "False"]);
});

withPython("R-W9: what a worker has room for is divided: a gateway that floods it keeps no other waiting", async () => {
  const { one, two } = await gateways("numbered", { threads: 1 });
  for (const app of [two, one]) await app.request("/?0"); // from now on both know their share: 4 of 8 each
  const flood = Array.from({ length: 24 }, () => one.request("/?0.05"));
  const number = Number((await two.request("/?0")).text());
  expect(number).toBeGreaterThan(2);
  // Behind the 4 that the other may have there, perhaps one more; with a whole 8 it would be the 11th.
  expect(number).toBeLessThanOrEqual(8);
  expect((await Promise.all(flood)).every(({ status }) => status === 200)).toBe(true);
});
