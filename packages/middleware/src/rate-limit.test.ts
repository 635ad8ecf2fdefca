import { type Address, accept, compose, createContext, createCounters, text } from "@gw/core";
import { request, run, testRequest } from "@gw/core/testing";
import { expect, test } from "vitest";
import { promisesMadeBy } from "../test/promises.ts";
import { type RateLimitOptions, rateLimit } from "./rate-limit.ts";

let nowMs = 0;
const context = () => ({ ...createContext(), counters: createCounters({ now: () => nowMs }) });
const appOf = (options: Partial<RateLimitOptions> = {}) =>
  compose([rateLimit({ limit: 3, windowMs: 10_000, ...options })], (given) =>
    given.kind === "websocket" ? accept(async () => {}) : text("inside"),
  );
const at = (host: string): { client: Address } => ({ client: { host, port: 1 } });
const started = (options?: Partial<RateLimitOptions>) => run(appOf(options), { context: context() });

test("R-M14: beyond the limit 429 with Retry-After, and it is over after that time", async () => {
  nowMs = 0;
  const app = await started();
  for (let time = 0; time < 3; time++) expect((await app.request()).status).toBe(200);
  const refused = await app.request();
  expect(refused.status).toBe(429);
  const seconds = Number(refused.headers.get("retry-after"));
  expect(seconds).toBeGreaterThan(0);
  nowMs += seconds * 1_000 + 1;
  expect((await app.request()).status).toBe(200);
  await app.stop();
});

test("R-M14: a burst at the seam of two windows is no way around", async () => {
  nowMs = 9_900;
  const app = await started();
  for (let time = 0; time < 3; time++) await app.request();
  nowMs = 10_100;
  const statuses = [(await app.request()).status, (await app.request()).status, (await app.request()).status];
  expect(statuses).toEqual([200, 429, 429]); // 2.97 of the three before still count
  await app.stop();
});

test("a refused request is not counted", async () => {
  nowMs = 0;
  const app = await started();
  for (let time = 0; time < 50; time++) await app.request();
  nowMs = 14_000; // 3 of the window before, of which 60 % still count: 1.8
  expect((await app.request()).status).toBe(200);
  await app.stop();
});

test.each<[string, string, string]>([
  ["another address of the same /64", "2001:db8::1", "2001:db8::ffff"],
  ["the IPv6 form of an IPv4 address", "192.0.2.1", "::ffff:192.0.2.1"],
  ["another spelling", "2001:DB8:0:0::1", "2001:db8::1"],
])("R-M14: %s is the same client", async (_what, one, other) => {
  nowMs = 0;
  const app = await started({ limit: 1 });
  expect((await app.request("/", at(one))).status).toBe(200);
  expect((await app.request("/", at(other))).status).toBe(429);
  expect((await app.request("/", at("198.51.100.7"))).status).toBe(200);
  await app.stop();
});

test("R-M14: no header makes another client", async () => {
  nowMs = 0;
  const app = await started({ limit: 1 });
  await app.request();
  for (const name of ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Cookie"]) {
    expect((await app.request("/", { headers: { [name]: "192.0.2.99" } })).status).toBe(429);
  }
  await app.stop();
});

test("the key can be the user, and null counts nothing", async () => {
  nowMs = 0;
  const app = await started({ limit: 1, key: ({ principal }) => principal?.user ?? null });
  const ann = { principal: { user: "ann", type: "form", groups: [], claims: {} } };
  expect((await app.request("/", ann)).status).toBe(200);
  expect((await app.request("/", ann)).status).toBe(429);
  for (let time = 0; time < 3; time++) expect((await app.request()).status).toBe(200);
  await app.stop();
});

test("layers of one name count together, others apart", async () => {
  nowMs = 0;
  const [a, b, c] = ["shared", "shared", undefined].map((name) => rateLimit({ limit: 2, ...(name && { name }) }));
  const app = await run(
    compose(
      [a, b, c].filter((one) => one !== undefined),
      () => text("x"),
    ),
    { context: context() },
  );
  expect((await app.request()).status).toBe(200); // 2 hits of "shared", 1 of the other
  expect((await app.request()).status).toBe(429);
  await app.stop();
});

test("tells what is left, where that is wanted", async () => {
  nowMs = 4_000;
  const app = await started({ name: "pages", headers: true });
  const { headers } = await app.request();
  expect(headers.get("ratelimit-policy")).toBe('"pages";q=3;w=10');
  expect(headers.get("ratelimit")).toBe('"pages";r=2;t=6');
  await app.stop();
  expect((await request(appOf())).headers.has("ratelimit")).toBe(false);
});

test("sockets count; a layer that was never started counts for itself; no promise is made", async () => {
  nowMs = 0;
  const app = await started({ limit: 1 });
  const socket = await app.openSocket();
  expect(socket.response).toBe(null);
  await socket.ended;
  expect((await app.openSocket()).response?.status).toBe(429);
  await app.stop();
  const handle = appOf().handle;
  expect(promisesMadeBy(() => void handle(testRequest("/")))).toBe(0);
});

test.each([{ limit: 0 }, { limit: Number.NaN }, { windowMs: 0 }])("%j is no limit", (options) => {
  expect(() => appOf(options)).toThrow(expect.objectContaining({ code: "GW_RATE_LIMIT" }));
});
