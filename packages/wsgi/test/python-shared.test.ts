// Two gateway processes, as far as a Python app can tell, that use the same workers.
import { type Backend, type Backends, createContext } from "@gw/core";
import { createBackends } from "@gw/core/node";
import { type RunningApp, run } from "@gw/core/testing";
import { listeningContext } from "@gw-private/listening-context";
import { requires } from "@gw-private/requires";
import { afterEach, describe, expect } from "vitest";
import { type PythonWsgiOptions, pythonWsgi } from "../src/python.ts";
import { apps } from "./python-app.ts";

const withPython = requires("python3", "/proc/net/unix");
const stops: (() => Promise<unknown>)[] = [];

interface Gateways {
  readonly one: RunningApp;
  readonly two: RunningApp;
  readonly logged: (pattern: RegExp) => Promise<string>;
  readonly reload: () => Promise<void>;
}

/** Backends that are started once however often they are asked for, and end with their last user: a primary's. */
function sharedBackends(own: Backends): Backends {
  const users = new Map<string, { count: number; backend: Promise<Backend> }>();
  return {
    async start(spec) {
      const found = users.get(spec.name) ?? { count: 0, backend: own.start(spec) };
      users.set(spec.name, found);
      found.count++;
      const backend = await found.backend;
      const stop = async (): Promise<void> => {
        found.count--;
        if (found.count === 0) await backend.stop();
      };
      return new Proxy(backend, {
        get: (target, name) => {
          const value = name === "stop" ? stop : Reflect.get(target, name, target);
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
    },
  };
}

async function gateways(name: string, options: PythonWsgiOptions = {}): Promise<Gateways> {
  const { context, logged } = listeningContext();
  const own = createBackends(context);
  const backends = sharedBackends(own);
  const started: RunningApp[] = [];
  const made = [0, 1].map(() =>
    pythonWsgi(`wsgi_apps:${name}`, { cwd: apps, workers: 1, backOffMs: [20, 50], ...options }),
  );
  for (const app of made) {
    const siblings = createContext({ log: context.log, hasSiblings: true });
    started.push(await run(app, { context: { ...siblings, backends } }));
  }
  stops.push(async () => {
    await Promise.all(started.map((one) => one.stop()));
    await own.stopAll();
  });
  const [one, two] = started as [RunningApp, RunningApp];
  return { one, two, logged, reload: async () => made[0]?.reload?.() };
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
