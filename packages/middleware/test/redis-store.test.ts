// The Redis store against a real server, with every kind of client.
import { compose, createContext, type Handler, type Principal, text } from "@gw/core";
import { type RunningApp, run } from "@gw/core/testing";
import { isThere, requires } from "@gw-private/requires";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, onTestFinished } from "vitest";
import { type RedisClient, redisStore } from "../src/session/redis.ts";
import type { SessionStore } from "../src/session/store.ts";
import { session, sessionOf } from "../src/session.ts";
import { Browser } from "./browser.ts";
import { RedisServer } from "./redis-server.ts";
import { describeStore, newKey, recordOf } from "./store-contract.ts";

const hasRedis = isThere("redis-server");
const test = requires("redis-server");
const server = new RedisServer();
beforeAll(() => (hasRedis ? server.start() : undefined));
afterAll(() => server.remove());

const context = createContext();
const own: Redis = new Redis({ path: server.path, lazyConnect: true });
own.on("error", () => {}); // the server is killed below
afterAll(() => own.disconnect());

let prefixes = 0;
const newPrefix = (): string => `test-${++prefixes}:`;

const clients: [name: string, make: () => RedisClient][] = [
  ["redis", () => createClient({ socket: { path: server.path, tls: false } })],
  ["ioredis", () => new Redis({ path: server.path, lazyConnect: true })],
  [
    "a function",
    () =>
      ([command, ...args]) =>
        own.call(command as string, args),
  ],
];

/** A started store, stopped when the test has finished. */
async function startedStore(make: () => RedisClient, prefix: string): Promise<SessionStore> {
  const store = redisStore({ client: make(), prefix });
  await store.start?.(context);
  onTestFinished(async () => store.stop?.(AbortSignal.timeout(5_000)));
  return store;
}

describe.runIf(hasRedis).each(clients)(`%s${hasRedis ? "" : " (needs redis-server)"}`, (_name, make) => {
  describeStore("Redis", () => redisStore({ client: make(), prefix: newPrefix() }));

  test("R-M9: no change of parallel clients is lost", async () => {
    const prefix = newPrefix();
    const stores = await Promise.all([startedStore(make, prefix), startedStore(make, prefix)]);
    const key = newKey();
    await stores[0]?.create(key, recordOf({ data: '{"n":0}' }));
    const increment = async (store: SessionStore): Promise<void> => {
      for (let done = 0; done < 25; ) {
        const record = await store.read(key);
        if (record === null) throw new Error("the session is gone");
        const data = JSON.stringify({ n: JSON.parse(record.data).n + 1 });
        if (await store.replace(key, record.version, { ...record, version: record.version + 1, data })) done++;
      }
    };
    await Promise.all([...stores, ...stores, ...stores].map(increment));
    expect(await stores[0]?.read(key)).toMatchObject({ version: 151, data: '{"n":150}' });
  });
});

test("Redis forgets sessions, and who had them, by itself at their end", async () => {
  const prefix = newPrefix();
  const store = await startedStore(clients[0]?.[1] as () => RedisClient, prefix);
  const key = newKey();
  const expiresMs = Date.now() + 60_000;
  await store.create(key, recordOf({ user: "ann", expiresMs }));
  expect(await own.pexpiretime(prefix + key)).toBe(expiresMs);
  expect(await own.pexpiretime(`${prefix}user:ann`)).toBe(expiresMs);
  await store.touch(key, expiresMs + 5_000);
  expect(await own.pexpiretime(prefix + key)).toBe(expiresMs + 5_000);
  expect(await own.pexpiretime(`${prefix}user:ann`)).toBe(expiresMs + 5_000);
  await store.end(key);
  expect(await own.keys(`${prefix}*`)).toEqual([]);
});

test("R-M9, R-O6: a write whose answer was lost, and which the client sends again, is made once and is no conflict", async () => {
  const prefix = newPrefix();
  const other = await startedStore(clients[1]?.[1] as () => RedisClient, prefix);
  let between = async (): Promise<unknown> => undefined;
  /** The first answer does not arrive. */
  const twice = async ([command, ...args]: readonly string[]): Promise<unknown> => {
    await own.call(command as string, args as string[]);
    await between();
    return own.call(command as string, args as string[]);
  };
  const store = await startedStore(() => twice, prefix);
  const [key, newKeyOfIt] = [newKey(), newKey()];
  const record = (version: number) => recordOf({ version, user: "ann", data: `{"n":${version}}` });
  await store.create(key, record(1));
  expect(await store.replace(key, 1, record(2))).toBe(true);
  expect(await store.replace(key, 1, record(2))).toBe(false); // another write, although it looks the same
  expect(await store.move(key, 2, newKeyOfIt, record(3))).toBe(true);
  // Others go on from what was written before it is sent again.
  for (let version = 4; version <= 24; version += 4) {
    between = async () => other.replace(newKeyOfIt, version, record(version + 1));
    expect(await store.replace(newKeyOfIt, version - 1, record(version))).toBe(true);
    between = async () => undefined;
    expect(await other.replace(newKeyOfIt, version + 1, record(version + 3))).toBe(true);
  }
  expect(await store.read(newKeyOfIt)).toMatchObject({ version: 27 });
  // What has ended meanwhile stays ended.
  between = async () => other.end(newKeyOfIt);
  expect(await store.replace(newKeyOfIt, 27, record(28))).toBe(false);
  expect(await other.read(newKeyOfIt)).toBe(null);
});

test("what is kept of a user's sessions is bounded: those past their end leave it", async () => {
  const prefix = newPrefix();
  const store = await startedStore(clients[1]?.[1] as () => RedisClient, prefix);
  const forgotten = newKey(); // Redis forgets a session at its end, and says so to nobody
  await own.zadd(`${prefix}user:ann`, Date.now() - 2_000, forgotten);
  await store.create(newKey(), recordOf({ user: "ann" }));
  expect(await own.zscore(`${prefix}user:ann`, forgotten)).toBe(null);
  expect(await own.zcard(`${prefix}user:ann`)).toBe(1);
});

const ann: Principal = { user: "ann", type: "form", groups: [], claims: {} };

const app: Handler = (request) => {
  const [, verb, value = ""] = request.path.split("/");
  if (verb === "open") return text("open");
  const mine = sessionOf<{ n: number; last: string }>(request);
  if (verb === "login") mine.logIn(ann);
  if (verb === "rotate") mine.rotate();
  if (verb === "logout") mine.end({ everywhere: value === "everywhere" });
  if (verb === "inc") mine.update("n", (n = 0) => n + 1);
  if (verb === "set") mine.set("last", value);
  return text(`${mine.principal?.user ?? "nobody"} ${mine.get("n") ?? 0}`);
};

/** Gateways of their own clients over one server's sessions. */
async function gateways(count: number, storeTimeoutMs?: number): Promise<RunningApp[]> {
  const prefix = newPrefix();
  const started = Array.from({ length: count }, async (_, at) => {
    const [, make] = clients[at % 2] as (typeof clients)[number];
    const store = redisStore({ client: make(), prefix });
    const running = await run(compose([session({ store, ...(storeTimeoutMs && { storeTimeoutMs }) })], app));
    onTestFinished(() => running.stop());
    return running;
  });
  return Promise.all(started);
}

/** The same browser at another gateway. */
const at = (gateway: RunningApp | undefined, browser: Browser): Browser =>
  new Browser(gateway as RunningApp, browser.cookies);

test("R-M8, R-M9: one session over several gateways: logins, new ids, logouts everywhere, no change lost", async () => {
  const [one, two] = await gateways(2);
  const browser = new Browser(one as RunningApp);
  await browser.get("/inc");
  const before = browser.copy();
  await browser.get("/login");
  expect((await at(two, browser).get("/who")).text()).toBe("ann 1");
  expect((await at(two, before).get("/who")).text()).toBe("nobody 0");
  await Promise.all(Array.from({ length: 20 }, (_, time) => at(time % 2 === 0 ? one : two, browser).get("/inc")));
  expect((await browser.get("/who")).text()).toBe("ann 21");
  const phone = new Browser(two as RunningApp);
  await phone.get("/login");
  await browser.get("/rotate");
  const thief = browser.copy();
  await at(two, browser).get("/logout/everywhere");
  for (const other of [thief, phone, browser]) expect((await other.get("/who")).text()).toMatch(/^nobody/);
});

test("R-M9: a request that is slower than a logout does not bring the session back", async () => {
  const [store] = [await startedStore(clients[0]?.[1] as () => RedisClient, newPrefix())];
  let release = (): void => {};
  const waiting = new Promise<void>((done) => {
    release = done;
  });
  const slowApp: Handler = async (request) => {
    if (request.path !== "/slow") return app(request);
    sessionOf(request).set("last", "late");
    await waiting;
    return text("done");
  };
  const running = await run(compose([session({ store })], slowApp));
  const browser = new Browser(running);
  await browser.get("/login");
  const [slow, thief] = [browser.copy().get("/slow"), browser.copy()];
  await browser.get("/logout");
  release();
  expect((await slow).headers.has("set-cookie")).toBe(false);
  expect((await thief.get("/who")).text()).toBe("nobody 0");
  await running.stop();
});

test("R-O6: while the server is out sessions are 503 and nothing else is; then they are there again, ended ones are not", async () => {
  const [one, two] = await gateways(2);
  const browser = new Browser(one as RunningApp);
  await browser.get("/login");
  await browser.get("/inc");
  const ended = new Browser(one as RunningApp);
  await ended.get("/login");
  const thief = ended.copy();
  await ended.get("/logout");
  await server.kill();
  for (const gateway of [one, two]) {
    const there = at(gateway, browser);
    const startedAt = performance.now();
    expect((await there.get("/who")).status).toBe(503);
    expect((await there.get("/logout")).status).toBe(503);
    expect((await new Browser(gateway as RunningApp).get("/open")).status).toBe(200);
    expect(performance.now() - startedAt).toBeLessThan(4_000); // two waits of a second at most
  }
  await server.start();
  for (const gateway of [one, two]) {
    const there = at(gateway, browser);
    while ((await there.get("/who")).status === 503) await new Promise(setImmediate); // until its client is back
    expect((await there.get("/who")).text()).toBe("ann 1");
    expect((await at(gateway, thief).get("/who")).text()).toBe("nobody 0");
    await there.get("/inc");
    await there.get("/set/n"); // scripts are known to the new server as well
    expect((await there.get("/who")).text()).toMatch(/^ann [12]$/);
    browser.cookies.clear();
    await browser.get("/login");
    await browser.get("/inc");
  }
}, 20_000);

test("R-O6: a server that hangs is a 503 after storeTimeoutMs; the change of that request is not waited for", async () => {
  const [one] = await gateways(1, 150);
  const browser = new Browser(one as RunningApp);
  await browser.get("/login");
  server.freeze();
  try {
    expect((await browser.get("/who")).status).toBe(503);
  } finally {
    server.thaw();
  }
  while ((await browser.get("/who")).status === 503) await new Promise(setImmediate);
  expect((await browser.get("/who")).text()).toBe("ann 0");
}, 20_000);

test("a server that cannot be reached is an error at start, and the client is closed", async () => {
  const path = `${server.path}-none`;
  const nodeRedis = createClient({ socket: { path, tls: false } });
  for (const client of [nodeRedis, new Redis({ path, lazyConnect: true })]) {
    const store = redisStore({ client, startTimeoutMs: 200 });
    await expect(store.start?.(context)).rejects.toMatchObject({ code: "GW_REDIS", status: 503 });
    await store.stop?.(AbortSignal.timeout(5_000));
  }
  expect(nodeRedis.isOpen).toBe(false);
});

test("a client that its owner connects stays the owner's", async () => {
  const client = new Redis({ path: server.path });
  onTestFinished(() => client.disconnect());
  const store = redisStore({ client, prefix: newPrefix() });
  await store.start?.(context);
  await store.stop?.(AbortSignal.timeout(5_000));
  expect(await client.ping()).toBe("PONG");
});
