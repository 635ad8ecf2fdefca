import { accept, compose, HeaderList, http, json } from "@gw/core";
import { openSocket, request, testRequest } from "@gw/core/testing";
import { expect, test } from "vitest";
import { promisesMadeBy } from "../test/promises.ts";
import { type BearerAuthOptions, bearerAuth, newKey, parseBearer } from "./bearer-auth.ts";

const { key, digest } = newKey("tok_");
const appOf = (options: BearerAuthOptions = { keys: { [digest]: "ci" } }) =>
  compose(
    [bearerAuth(options)],
    http(({ principal, headers }) => json({ principal, authorization: headers.get("authorization") })),
  );
const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });

test("R-C6: lets a right token through as principal of type Bearer; the field ends here", async () => {
  expect((await request(appOf(), "/", bearer(key))).json()).toEqual({
    principal: { user: "ci", type: "Bearer", groups: [], claims: {} },
    authorization: null,
  });
});

test.each<[string, Record<string, string>, string]>([
  ["nothing", {}, 'Bearer realm="Restricted"'],
  ["another scheme", { Authorization: "Basic YTpi" }, 'Bearer realm="Restricted"'],
  ["another scheme that begins alike", { Authorization: "BearerX abc" }, 'Bearer realm="Restricted"'],
  ["a wrong token", { Authorization: "Bearer abc" }, 'Bearer realm="Restricted", error="invalid_token"'],
  ["no token", { Authorization: "Bearer" }, 'Bearer realm="Restricted", error="invalid_token"'],
  ["what is no token", { Authorization: "Bearer a b" }, 'Bearer realm="Restricted", error="invalid_token"'],
])("answers 401 to %s (RFC 6750 §3)", async (_what, headers, challenge) => {
  const answer = await request(appOf(), `/?access_token=${key}`, { headers });
  expect(answer.status).toBe(401);
  expect(answer.headers.get("www-authenticate")).toBe(challenge);
});

test("several fields are refused", async () => {
  const headers = HeaderList.from([
    ["Authorization", `Bearer ${key}`],
    ["Authorization", "Bearer x"],
  ]);
  expect((await request(appOf(), "/", { headers })).status).toBe(400);
});

test.each([
  ["Bearer mF_9.B5f-4.1JqM", { token: "mF_9.B5f-4.1JqM" }], // RFC 6750 §2.1
  ["bearer  a~b+c/d== ", { token: "a~b+c/d==" }],
  ["BEARER x", { token: "x" }],
  ["Bearer a=b", "malformed"],
  ["Bearer ", "malformed"],
])("reads %j", (value, expected) => {
  expect(parseBearer(HeaderList.from({ Authorization: value }))).toEqual(expected);
});

test("a verify function may answer later, and may say more; one that throws lets nobody through", async () => {
  const verify = async (token: string) => (token === "t" ? { user: "ann", groups: ["g"], claims: { a: 1 } } : null);
  expect((await request(appOf({ verify }), "/", bearer("t"))).json()).toMatchObject({
    principal: { user: "ann", groups: ["g"], claims: { a: 1 } },
  });
  expect((await request(appOf({ verify }), "/", bearer("u"))).status).toBe(401);
  expect((await request(appOf({ verify: () => ({ user: "" }) }), "/", bearer("u"))).status).toBe(401);
  const broken = () => {
    throw new Error("down");
  };
  expect((await request(appOf({ verify: broken }), "/", bearer("t"))).status).toBe(500);
});

test("guards sockets; makes no promise", async () => {
  const app = compose([bearerAuth({ keys: { [digest]: "ci" } })], () => accept(async () => {}));
  expect((await openSocket(app)).response?.status).toBe(401);
  expect(promisesMadeBy(() => void appOf().handle(testRequest("/", bearer(key))))).toBe(0);
});

test.each<BearerAuthOptions>([
  {},
  { verify: () => null, keys: {} },
  { keys: {}, find: () => null },
  { keys: {}, realm: 'a"b' },
])("settings are refused: %j", (options) => {
  expect(() => bearerAuth(options)).toThrow(expect.objectContaining({ code: "GW_KEYS" }));
});
