import { accept, compose, type GatewayRequest, HeaderList, http, json } from "@gw/core";
import { openSocket, request, testRequest } from "@gw/core/testing";
import { describe, expect, test } from "vitest";
import { promisesMadeBy } from "../test/promises.ts";
import { type RemoteUserOptions, remoteUser } from "./remote-user.ts";

const show = (given: GatewayRequest) =>
  json({ principal: given.principal, names: [...given.headers].map(([name]) => name) });
const appOf = (options?: RemoteUserOptions) => compose([remoteUser(options)], http(show));
const front: RemoteUserOptions = {
  header: "X-Proxy-User",
  groupsHeader: "X-Proxy-Groups",
  claims: { email: "X-Proxy-Email" },
  peers: ["10.0.0.0/8"],
};
const proxy = { host: "10.0.0.7", port: 4000 };
const sent = { "X-Proxy-User": "ann", "X-Proxy-Groups": "staff, ops,", "X-Proxy-Email": "ann@example.com" };

describe("the front server's variables", () => {
  test("REMOTE_USER and AUTH_TYPE become the principal", async () => {
    const answer = await request(appOf(), "/", { params: { REMOTE_USER: "ann", AUTH_TYPE: "Negotiate" } });
    expect(answer.json()).toMatchObject({
      principal: { user: "ann", type: "Negotiate", groups: [], claims: {} },
    });
  });

  test("groups, name and mail address come beside it", async () => {
    const params = {
      REMOTE_USER: "ann",
      REMOTE_GROUPS: "staff, ops",
      REMOTE_NAME: "Ann",
      REMOTE_EMAIL: "ann@example.com",
    };
    expect((await request(appOf(), "/", { params })).json()).toMatchObject({
      principal: { user: "ann", groups: ["staff", "ops"], claims: { name: "Ann", email: "ann@example.com" } },
    });
  });

  test("are bytes on the wire and text in the principal; without AUTH_TYPE the type is remote", async () => {
    const answer = await request(appOf(), "/", { params: { REMOTE_USER: "J\u00c3\u00bcrgen" } });
    expect(answer.json()).toMatchObject({ principal: { user: "Jürgen", type: "remote" } });
  });

  test.each<Record<string, string>>([{}, { REMOTE_USER: "" }, { AUTH_TYPE: "Basic" }])("%j: nobody", async (params) => {
    expect((await request(appOf(), "/", { params })).json()).toMatchObject({ principal: null });
  });

  test("R-H18: a field of the client never counts there", async () => {
    const headers = { "Remote-User": "ann", Remote_User: "ann", "X-Proxy-User": "ann" };
    expect((await request(appOf(), "/", { headers })).json()).toMatchObject({ principal: null });
  });
});

describe("a field", () => {
  test("from a listed peer names user, groups and claims, and goes no further", async () => {
    const answer = await request(appOf(front), "/", { client: proxy, headers: sent });
    expect(answer.json()).toEqual({
      principal: { user: "ann", type: "remote", groups: ["staff", "ops"], claims: { email: "ann@example.com" } },
      names: ["Host"],
    });
  });

  test.each<[string, Record<string, string>]>([
    ["as it is", sent],
    ["in another spelling", { x_proxy_user: "ann", "X.Proxy.Groups": "staff", "x-proxy_email": "e" }],
  ])("R-H18: from anybody else is removed, %s", async (_how, headers) => {
    const answer = await request(appOf(front), "/", { client: { host: "192.0.2.1", port: 1 }, headers });
    expect(answer.json()).toEqual({ principal: null, names: ["Host"] });
  });

  test("R-H18: another spelling beside the right one is removed from a listed peer's request, too", async () => {
    const headers = { "X-Proxy-User": "ann", X_Proxy_User: "root" };
    expect((await request(appOf(front), "/", { client: proxy, headers })).json()).toMatchObject({
      principal: { user: "ann" },
      names: ["Host"],
    });
  });

  test("that is there twice is refused: which one did the client send?", async () => {
    const headers = HeaderList.from([
      ["X-Proxy-User", "root"],
      ["X-Proxy-User", "ann"],
    ]);
    expect((await request(appOf(front), "/", { client: proxy, headers })).status).toBe(400);
  });

  test("without a value names nobody; of a client without an address it does not count", async () => {
    const empty = await request(appOf(front), "/", { client: proxy, headers: { "X-Proxy-User": " " } });
    expect(empty.json()).toMatchObject({ principal: null });
    expect((await request(appOf(front), "/", { client: null, headers: sent })).json()).toMatchObject({
      principal: null,
    });
  });

  test("with a secret counts from whoever knows it", async () => {
    const secret = { header: "X-Proxy-Secret", value: "0123456789abcdef" };
    const app = appOf({ header: "X-Proxy-User", secret, type: "sso" });
    const right = await request(app, "/", { headers: { ...sent, "X-Proxy-Secret": "0123456789abcdef" } });
    expect(right.json()).toMatchObject({ principal: { user: "ann", type: "sso" } });
    expect(right.text()).not.toContain("X-Proxy-Secret");
    for (const value of ["", "0123456789abcdeF", "0123456789abcdef0"]) {
      const wrong = await request(app, "/", { headers: { "X-Proxy-User": "ann", "X-Proxy-Secret": value } });
      expect(wrong.json()).toMatchObject({ principal: null });
    }
  });
});

test.each<[string, RemoteUserOptions]>([
  ["everybody could name a user", { header: "X-Proxy-User" }],
  ["carriers remove Remote-User", { header: "remote_user", peers: ["unix"] }],
  ["carriers remove X-Forwarded-Groups", { ...front, groupsHeader: "X-Forwarded-Groups" }],
  ["no field name", { header: "X Proxy", peers: ["unix"] }],
  ["a short secret", { header: "X-Proxy-User", secret: { header: "X-S", value: "short" } }],
])("settings are refused: %s", (_why, options) => {
  expect(() => remoteUser(options)).toThrow(expect.objectContaining({ code: "GW_REMOTE_USER" }));
});

test("guards sockets as well, and makes no promise", async () => {
  const app = compose([remoteUser(front)], (given) => {
    expect(given.principal?.user).toBe("ann");
    return given.kind === "websocket" ? accept(async () => {}) : json({});
  });
  const socket = await openSocket(app, "/", { client: proxy, headers: sent });
  expect(socket.response).toBe(null);
  await socket.ended;
  expect(promisesMadeBy(() => void app.handle(testRequest("/", { client: proxy, headers: sent })))).toBe(0);
});
