import { accept, compose, type GatewayRequest, HeaderList, http, json, some, text } from "@gw/core";
import { openSocket, request, testRequest } from "@gw/core/testing";
import { describe, expect, test, vi } from "vitest";
import { promisesMadeBy } from "../test/promises.ts";
import { type BasicAuthOptions, basicAuth, parseBasic } from "./basic-auth.ts";
import { requireUser } from "./require-user.ts";

const users = { ann: { password: "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=", groups: ["staff"] } };
const BCRYPT = "$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC"; // myPassword
const basic = (user: string, password: string): { Authorization: string } => ({
  Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
});
const right = basic("ann", "myPassword");
const show = (request: GatewayRequest) =>
  json({ principal: request.principal, authorization: request.headers.get("authorization") });
const appOf = (options: BasicAuthOptions = { users }) => compose([basicAuth(options)], http(show));

test("lets the right password through as principal of type Basic", async () => {
  const answer = await request(appOf(), "/", { headers: right });
  expect(answer.json()).toEqual({
    principal: { user: "ann", type: "Basic", groups: ["staff"], claims: {} },
    authorization: null,
  });
});

test("R-C6: the consumed Authorization does not go on to the app", async () => {
  let seen: HeaderList | null = null;
  const app = compose([basicAuth({ users })], (request) => {
    seen = request.headers;
    return text("");
  });
  await request(app, "/", { headers: { ...right, "X-Other": "stays" } });
  expect((seen as unknown as HeaderList).has("authorization")).toBe(false);
  expect((seen as unknown as HeaderList).get("x-other")).toBe("stays");
});

test.each<[string, Record<string, string>]>([
  ["nothing", {}],
  ["a wrong password", basic("ann", "x")],
  ["an unknown user", basic("eve", "myPassword")],
  ["another scheme", { Authorization: "Bearer abc" }],
  ["no base64", { Authorization: "Basic !!!" }],
  ["no colon", { Authorization: `Basic ${Buffer.from("ann").toString("base64")}` }],
  ["a control character", basic("ann", "my\u0000Password")],
  ["a line break", basic("ann\n", "myPassword")],
  ["bytes that are not UTF-8", { Authorization: `Basic ${Buffer.from("ann:\xe9", "latin1").toString("base64")}` }],
])("R-M1: answers 401 with a challenge to %s", async (_what, headers) => {
  const answer = await request(appOf(), "/", { headers });
  expect(answer.status).toBe(401);
  expect(answer.headers.get("www-authenticate")).toBe('Basic realm="Restricted", charset="UTF-8"');
  expect(answer.headers.get("cache-control")).toBe("no-store");
});

test("R-M1: refuses several Authorization fields, even equal ones", async () => {
  const headers = HeaderList.from([...Object.entries(right), ...Object.entries(right)]);
  expect((await request(appOf(), "/", { headers })).status).toBe(400);
});

test("the realm is quoted, and may be any text", async () => {
  const answer = await request(appOf({ users, realm: 'a "b" \\ ü' }));
  expect(Buffer.from(answer.headers.get("www-authenticate") ?? "", "latin1").toString()).toBe(
    'Basic realm="a \\"b\\" \\\\ ü", charset="UTF-8"',
  );
});

test("the first colon ends the name; a password may be empty and have colons", () => {
  const parse = (pair: string) => parseBasic(HeaderList.from({ Authorization: `basic   ${btoa(pair)} ` }));
  expect(parse("ann:a:b")).toEqual({ user: "ann", password: "a:b" });
  expect(parse("ann:")).toEqual({ user: "ann", password: "" });
  expect(parse(":x")).toBe(null);
});

test("text comes as UTF-8: name and password may be in any script", async () => {
  const verify = vi.fn(() => true);
  await request(appOf({ verify }), "/", { headers: basic("정아", "пароль€") });
  expect(verify).toHaveBeenCalledWith("정아", "пароль€", expect.objectContaining({ kind: "http" }));
});

describe("a verify function", () => {
  test("may answer later, and may say more than yes", async () => {
    const verify = async (user: string) => ({ user: user.toUpperCase(), groups: ["g"], claims: { email: "e" } });
    const answer = await request(appOf({ verify }), "/", { headers: right });
    expect(answer.json()).toMatchObject({
      principal: { user: "ANN", type: "Basic", groups: ["g"], claims: { email: "e" } },
    });
  });

  test.each([false, null, { user: "" }])("says no with %j", async (result) => {
    expect((await request(appOf({ verify: () => result }), "/", { headers: right })).status).toBe(401);
  });

  test("that throws lets nobody through", async () => {
    const app = appOf({
      verify() {
        throw new Error("directory is down");
      },
    });
    expect((await request(app, "/", { headers: right })).status).toBe(500);
  });
});

test("guards sockets: 401 without, accepted with a password", async () => {
  const app = compose([basicAuth({ users })], () => accept(async () => {}));
  expect((await openSocket(app)).response?.status).toBe(401);
  const socket = await openSocket(app, "/", { headers: right });
  expect(socket.response).toBe(null);
  await socket.ended;
});

test("tells who guesses too often to wait", async () => {
  const layer = basicAuth({ users, throttle: { perAccountAndAddress: 3 } });
  const app = compose([layer], http(show));
  const statuses: number[] = [];
  for (let time = 0; time < 5; time++) statuses.push((await request(app, "/", { headers: basic("ann", "x") })).status);
  expect(statuses).toEqual([401, 401, 401, 429, 429]);
  const blocked = await request(app, "/", { headers: right });
  expect(Number(blocked.headers.get("retry-after"))).toBeGreaterThan(0);
  const elsewhere = await request(app, "/", { headers: right, client: { host: "192.0.2.9", port: 1 } });
  expect(elsewhere.status).toBe(200);
});

test("a slow hash is computed once, also for requests at one time; then remembered", async () => {
  const app = appOf({ users: { ann: BCRYPT } });
  const all = await Promise.all(Array.from({ length: 80 }, () => request(app, "/", { headers: right })));
  expect(all.map(({ status }) => status)).toEqual(Array.from({ length: 80 }, () => 200));
  const made = promisesMadeBy(() => void app.handle(testRequest("/", { headers: right })));
  expect(made).toBe(0);
});

test("with blocking, even the first slow hash makes no promise", () => {
  const app = appOf({ users: { ann: BCRYPT }, blocking: true });
  const made = promisesMadeBy(() => {
    expect(app.handle(testRequest("/", { headers: right }))).toMatchObject({ status: 200 });
    expect(app.handle(testRequest("/", { headers: basic("ann", "x") }))).toMatchObject({ status: 401 });
  });
  expect(made).toBe(0);
});

test.each([{}, { users, verify: () => true }, { users, htpasswd: "x" }])(
  "wants exactly one source of users: %j",
  (options) => {
    expect(() => basicAuth(options)).toThrow(expect.objectContaining({ code: "GW_ACCOUNTS" }));
  },
);

test("a missing htpasswd file stops the gateway at its start", async () => {
  await expect(request(appOf({ htpasswd: "/nowhere/users" }))).rejects.toMatchObject({ code: "GW_HTPASSWD" });
});

test("some(requireUser(), basicAuth(…)) takes a session's user or a password, and offers both", async () => {
  const app = compose([some(requireUser(), basicAuth({ users }))], http(show));
  expect((await request(app, "/", { headers: right })).json()).toMatchObject({ principal: { user: "ann" } });
  const principal = { user: "bob", type: "form", groups: [], claims: {} };
  expect((await request(app, "/", { principal })).json()).toMatchObject({ principal });
  const refused = await request(app);
  expect(refused.status).toBe(401);
  expect(refused.headers.getAll("www-authenticate")).toEqual([
    'Cookie realm="login"',
    'Basic realm="Restricted", charset="UTF-8"',
  ]);
});

test.each(["ann\u0000:x", "ann:x\u0000", "a\nn:x", "ann:\u007f", "ann:\u0085x"])(
  "R-M1: control characters in credentials are refused before anybody is asked: %j",
  async (pair) => {
    const verify = vi.fn(() => true);
    const headers = { Authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
    const answer = await request(
      compose([basicAuth({ verify })], () => text("in")),
      "/",
      { headers },
    );
    expect([answer.status, verify.mock.calls.length]).toEqual([401, 0]);
  },
);

test.each([
  ["RFC 7617 §2", "QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame"],
  ["RFC 7617 §2.1, UTF-8", "dGVzdDoxMjPCow==", "test", "123£"],
])(
  "%s: the example of the specification reaches verify, and its user the app",
  async (_section, encoded, user, password) => {
    const asked: string[][] = [];
    const verify = (name: string, word: string): boolean => {
      asked.push([name, word]);
      return word === password;
    };
    const app = compose([basicAuth({ verify })], (head) => text(head.principal?.user ?? "nobody"));
    const answer = await request(app, "/", { headers: { Authorization: `Basic ${encoded}` } });
    expect([answer.text(), asked]).toEqual([user, [[user, password]]]);
  },
);
