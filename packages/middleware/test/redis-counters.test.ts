// Counters in a real Redis server: one limit for several gateways, whatever becomes of the server.
import { compose, createContext, text } from "@gw/core";
import { type RunningApp, run } from "@gw/core/testing";
import { isThere, requires } from "@gw-private/requires";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { afterAll, beforeAll, expect, onTestFinished } from "vitest";
import { basicAuth } from "../src/basic-auth.ts";
import { formLogin } from "../src/form-login.ts";
import { rateLimit } from "../src/rate-limit.ts";
import { type RedisClient, redisCounters } from "../src/redis-counters.ts";
import { memoryStore } from "../src/session/memory.ts";
import { session } from "../src/session.ts";
import { RedisServer } from "./redis-server.ts";

const test = requires("redis-server");
const server = new RedisServer();
beforeAll(() => (isThere("redis-server") ? server.start() : undefined));
afterAll(() => server.remove());

const clients: (() => RedisClient)[] = [
  () => createClient({ socket: { path: server.path, tls: false } }),
  () => new Redis({ path: server.path, lazyConnect: true }),
];

/** Two gateways on machines of their own, as far as they know. */
function gateways(prefix: string, make: (counters: ReturnType<typeof redisCounters>) => Parameters<typeof run>[0]) {
  return Promise.all(
    clients.map(async (client) => {
      const app = await run(make(redisCounters({ client: client(), prefix })), { context: createContext() });
      onTestFinished(() => app.stop());
      return app;
    }),
  );
}

async function statuses(apps: readonly RunningApp[], count: number): Promise<number[]> {
  const found: number[] = [];
  for (let at = 0; at < count; at++) found.push((await (apps[at % apps.length] as RunningApp).request()).status);
  return found;
}

const hour = 3_600_000;

test("R-M14: gateways of one Redis server count together", async () => {
  const limited = (counters: ReturnType<typeof redisCounters>) =>
    compose([rateLimit({ limit: 5, windowMs: hour, name: "all", counters })], () => text("inside"));
  const apps = await gateways("together:", limited);
  expect(await statuses(apps, 8)).toEqual([200, 200, 200, 200, 200, 429, 429, 429]);
});

test("R-M14: failed logins at one gateway count at the others, by form and by Basic", async () => {
  const users = { ann: "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=" };
  const login = (counters: ReturnType<typeof redisCounters>) => {
    const throttle = { counters, perAccountAndAddress: 3 };
    const layers = [session({ store: memoryStore() }), formLogin({ users, throttle }), basicAuth({ users, throttle })];
    return compose(layers, () => text("inside"));
  };
  const [one, two] = await gateways("logins:", login);
  const form = (app: RunningApp | undefined, password: string) =>
    (app as RunningApp).request("/login", {
      method: "POST",
      body: new URLSearchParams({ user: "ann", password }).toString(),
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
    });
  expect((await form(one, "myPassword")).status).toBe(303); // takes its attempt back
  expect([(await form(one, "x")).status, (await form(two, "x")).status]).toEqual([401, 401]);
  const basic = { headers: { Authorization: `Basic ${btoa("ann:x")}` } };
  expect((await (two as RunningApp).request("/", basic)).status).toBe(401);
  expect((await (one as RunningApp).request("/", basic)).status).toBe(429);
  const refused = await form(two, "myPassword");
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
});

test("a reading is of the server's windows: hits, a look without a hit, one taken back; keys end by themselves", async () => {
  const counters = redisCounters({ client: (clients[1] as () => RedisClient)(), prefix: "reading:" });
  await counters.start?.(createContext());
  onTestFinished(() => counters.stop?.(AbortSignal.timeout(5_000)) as Promise<void>);
  const hit = (by?: number) => counters.hit("k", { windowMs: hour, ...(by !== undefined && { by }) });
  expect(await hit(0)).toMatchObject({ count: 0, previous: 0 });
  expect(await hit()).toMatchObject({ count: 1 });
  expect(await hit(2)).toMatchObject({ count: 3 });
  expect(await hit(-1)).toMatchObject({ count: 2 });
  const { count, resetMs } = await hit(0);
  expect(count).toBe(2);
  expect(resetMs).toBeGreaterThan(0);
  expect(resetMs).toBeLessThanOrEqual(hour);
  const client = new Redis({ path: server.path });
  onTestFinished(() => client.disconnect());
  const [key = ""] = await client.keys("reading:*");
  expect(await client.pttl(key)).toBeGreaterThan(hour);
});

test("R-O6: while the server is out each gateway counts for itself; then together again", async () => {
  const limited = (counters: ReturnType<typeof redisCounters>) =>
    compose([rateLimit({ limit: 2, windowMs: hour, name: "out", counters })], () => text("inside"));
  const apps = await gateways("out:", limited);
  expect(await statuses(apps, 3)).toEqual([200, 200, 429]);
  await server.kill();
  expect(await statuses(apps, 6)).toEqual([200, 200, 200, 200, 429, 429]);
  await server.start();
  const probe = redisCounters({ client: (clients[1] as () => RedisClient)(), prefix: "out:" });
  await probe.start?.(createContext());
  onTestFinished(() => probe.stop?.(AbortSignal.timeout(5_000)) as Promise<void>);
  expect((await probe.hit("rate out 127.0.0.1", { windowMs: hour, by: 0 })).count).toBe(2); // what was on disk
  expect(await statuses(apps, 2)).toEqual([429, 429]);
});
