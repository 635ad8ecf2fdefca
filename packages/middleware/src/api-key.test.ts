import { accept, compose, createContext, HeaderList, http, json, type Logger } from "@gw/core";
import { openSocket, request, testRequest } from "@gw/core/testing";
import { expect, test, vi } from "vitest";
import { promisesMadeBy } from "../test/promises.ts";
import { type ApiKeyOptions, apiKey, hashKey, type KeyOwner, newKey } from "./api-key.ts";

const { key, digest } = newKey();
const appOf = (options: ApiKeyOptions = { keys: { [digest]: "ci" } }) =>
  compose(
    [apiKey(options)],
    http(({ principal, headers }) => json({ principal, names: [...headers].map(([name]) => name) })),
  );
const right = { headers: { "X-API-Key": key } };

test("lets the right key through, and no further", async () => {
  expect((await request(appOf(), "/", right)).json()).toEqual({
    principal: { user: "ci", type: "apiKey", groups: [], claims: {} },
    names: ["Host"],
  });
});

test.each<[string, Record<string, string>]>([
  ["none", {}],
  ["an empty one", { "X-API-Key": "" }],
  ["a wrong one", { "X-API-Key": `${key}x` }],
  ["the digest itself", { "X-API-Key": digest }],
  ["a property of every object", { "X-API-Key": "__proto__" }],
  ["one in another field", { Authorization: `ApiKey ${key}` }],
  ["a very long one", { "X-API-Key": "x".repeat(5_000) }],
])("R-M5: refuses %s with 401 and a challenge", async (_what, headers) => {
  const answer = await request(appOf(), `/?api_key=${key}`, { headers });
  expect(answer.status).toBe(401);
  expect(answer.headers.get("www-authenticate")).toBe('ApiKey header="X-API-Key"');
});

test("R-M5: several keys are refused", async () => {
  const headers = HeaderList.from([
    ["X-API-Key", key],
    ["x-api-key", key],
  ]);
  expect((await request(appOf(), "/", { headers })).status).toBe(400);
});

test("R-M5: a key is revoked by taking its entry out, and ends by its time", async () => {
  const keys: Record<string, KeyOwner> = { [digest]: { user: "ci", groups: ["bots"], expiresMs: Date.now() + 60_000 } };
  const app = appOf({ keys });
  expect((await request(app, "/", right)).json()).toMatchObject({ principal: { groups: ["bots"] } });
  keys[digest] = { user: "ci", expiresMs: Date.now() - 1 };
  expect((await request(app, "/", right)).status).toBe(401);
  delete keys[digest];
  expect((await request(app, "/", right)).status).toBe(401);
});

test("R-M5: what is stored is no key, and what is found is asked for by digest", async () => {
  expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(hashKey(key)).toBe(digest);
  expect(newKey().key).not.toBe(newKey().key);
  expect(Buffer.from(key.slice(3), "base64url").length).toBe(32);
  const find = vi.fn(async (sought: string) => (sought === digest ? { user: "db" } : null));
  expect((await request(appOf({ find }), "/", right)).json()).toMatchObject({ principal: { user: "db" } });
  expect(find).toHaveBeenCalledWith(digest, expect.anything());
  expect((await request(appOf({ find }), "/", { headers: { "X-API-Key": "other" } })).status).toBe(401);
});

test("R-M5: keys are not logged", async () => {
  const lines: unknown[] = [];
  const log = Object.fromEntries(
    ["trace", "debug", "info", "warn", "error", "fatal"].map((level) => [
      level,
      (...line: unknown[]) => lines.push(line),
    ]),
  );
  const logger = { ...log, child: () => logger } as unknown as Logger;
  const context = { ...createContext(), log: logger };
  await request(appOf(), "/", { ...right, context });
  await request(appOf(), "/", { headers: { "X-API-Key": "wrong-key" }, context });
  expect(JSON.stringify(lines)).not.toMatch(/wrong-key|gw_/);
});

test("the field can be another; sockets are guarded; no promise is made", async () => {
  const app = compose([apiKey({ keys: { [digest]: "ci" }, header: "X-Team" })], () => accept(async () => {}));
  expect((await openSocket(app)).response?.status).toBe(401);
  const socket = await openSocket(app, "/", { headers: { "X-Team": key } });
  expect(socket.response).toBe(null);
  await socket.ended;
  expect(promisesMadeBy(() => void appOf().handle(testRequest("/", right)))).toBe(0);
});

test.each<[string, ApiKeyOptions]>([
  ["no source", {}],
  ["two sources", { keys: {}, find: () => null }],
  ["a key in the place of its digest", { keys: { [key]: "ci" } }],
  ["no field name", { keys: {}, header: "X Key" }],
])("settings are refused, without showing keys: %s", (_what, options) => {
  expect(() => apiKey(options)).toThrow(expect.objectContaining({ code: "GW_KEYS" }));
  expect(() => apiKey(options)).toThrow(expect.not.objectContaining({ message: expect.stringContaining(key) }));
});
