// Asking another server who somebody is, over real sockets: a gateway's authEndpoint, and servers that answer as Authelia and oauth2-proxy do.
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { accept, authEndpoint, compose, type GatewayRequest, HeaderList, json, mount, some } from "@gw/core";
import { openSocket, request, run } from "@gw/core/testing";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { basicAuth } from "../src/basic-auth.ts";
import { type ForwardAuthOptions, forwardAuth, oauth2ProxyFields } from "../src/forward-auth.ts";
import { requireUser } from "../src/require-user.ts";

const page = { Accept: "text/html" };
const listen = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/auth`;
};
const inside = (given: GatewayRequest) =>
  given.kind === "websocket"
    ? accept(async () => {})
    : json({ principal: given.principal, names: [...given.headers].map(([name]) => name) });
const appOf = (url: string, options: Partial<ForwardAuthOptions> = {}) =>
  compose([forwardAuth({ url, allowHttp: true, ...options })], inside);

/** A server that notes what it is asked. */
const recorder = async (listener: RequestListener) => {
  const asked: IncomingMessage[] = [];
  const url = await listen((question, answer) => {
    asked.push(question);
    listener(question, answer);
  });
  return { url, asked };
};
const yes =
  (fields: Record<string, string | string[]>): RequestListener =>
  (_question, answer) =>
    void answer.writeHead(200, fields).end();

describe("a yes", () => {
  test("names the user, the groups and the claims, in Authelia's fields", async () => {
    const fields = {
      "Remote-User": "ann",
      "Remote-Groups": "staff,ops",
      "Remote-Name": "Ann",
      "Remote-Email": "ann@example.com",
    };
    const { url } = await recorder(yes(fields));
    expect((await request(appOf(url), "/", { headers: { Authorization: "Basic x" } })).json()).toEqual({
      principal: {
        user: "ann",
        type: "forwardAuth",
        groups: ["staff", "ops"],
        claims: { name: "Ann", email: "ann@example.com" },
      },
      names: ["Host"], // R-C6: the Authorization that was looked at ends here
    });
  });

  test("names them in oauth2-proxy's fields (202)", async () => {
    const url = await listen((_question, answer) => {
      answer.writeHead(202, {
        "X-Auth-Request-User": "4711",
        "X-Auth-Request-Groups": "staff",
        "X-Auth-Request-Email": "ann@example.com",
        "X-Auth-Request-Preferred-Username": "ann",
      });
      answer.end();
    });
    expect((await request(appOf(url, oauth2ProxyFields), "/")).json()).toMatchObject({
      principal: { user: "4711", groups: ["staff"], claims: { email: "ann@example.com", preferred_username: "ann" } },
    });
  });

  test("in bytes above ASCII is UTF-8", async () => {
    const { url } = await recorder(yes({ "Remote-User": Buffer.from("Jürgen").toString("latin1"), "Remote-Name": "" }));
    expect((await request(appOf(url), "/")).json()).toMatchObject({ principal: { user: "Jürgen", claims: {} } });
  });

  test("without a user is 401, or nobody where that is allowed", async () => {
    const { url } = await recorder(yes({ "Remote-User": "" }));
    expect((await request(appOf(url), "/")).status).toBe(401);
    expect((await request(appOf(url, { anonymous: "pass" }), "/")).json()).toMatchObject({ principal: null });
  });

  test("with two users is nobody's", async () => {
    const { url } = await recorder(yes({ "Remote-User": ["ann", "root"] }));
    expect((await request(appOf(url), "/")).status).toBe(401);
  });

  test("may renew cookies: they go out with the app's answer", async () => {
    const { url } = await recorder(yes({ "Remote-User": "ann", "Set-Cookie": ["a=1; Path=/", "b=2"] }));
    const answer = await request(appOf(url), "/");
    expect(answer.headers.getAll("set-cookie")).toEqual(["a=1; Path=/", "b=2"]);
  });

  test("opens a socket, and a no refuses it", async () => {
    const open = await recorder(yes({ "Remote-User": "ann" }));
    const socket = await openSocket(appOf(open.url), "/chat");
    expect(socket.response).toBe(null);
    await socket.ended;
    const away = await listen(
      (_question, answer) => void answer.writeHead(302, { Location: "https://auth.example/" }).end(),
    );
    expect((await openSocket(appOf(away), "/chat")).response?.status).toBe(401);
  });
});

describe("the question", () => {
  test("tells method and URL in both customs, and shows cookies and Authorization", async () => {
    const { url, asked } = await recorder(yes({ "Remote-User": "ann" }));
    const headers = {
      Host: "app.example:8443",
      "Sec-Fetch-Mode": "navigate",
      Cookie: "a=1",
      Authorization: "Bearer x",
      "X-Secret": "no",
      "Content-Type": "a/b",
    };
    const init = {
      method: "POST",
      body: "form",
      scheme: "https",
      client: { host: "192.0.2.7", port: 1 },
      headers,
    } as const;
    await request(
      compose([mount("/in", compose([forwardAuth({ url, allowHttp: true })], inside))], inside),
      "/in/a%2Fb/c?d=e%20f",
      init,
    );
    expect(asked).toHaveLength(1);
    expect(asked[0]?.method).toBe("GET");
    expect(asked[0]?.headers).toMatchObject({
      "x-forwarded-method": "POST",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "app.example:8443",
      "x-forwarded-uri": "/in/a%2Fb/c?d=e%20f",
      "x-forwarded-for": "192.0.2.7",
      "x-original-method": "POST",
      "x-original-url": "https://app.example:8443/in/a%2Fb/c?d=e%20f",
      "sec-fetch-mode": "navigate",
      cookie: "a=1",
      authorization: "Bearer x",
    });
    expect(asked[0]?.headers).not.toHaveProperty("x-secret");
    expect(asked[0]?.headers).not.toHaveProperty("content-type");
  });

  test("R-H18: a client cannot speak for us, and names nobody by fields of the answer's names", async () => {
    const { url, asked } = await recorder(yes({ "Remote-User": "ann" }));
    const forged = {
      "X-Forwarded-Uri": "/public",
      "X-Forwarded-Method": "OPTIONS",
      "X-Forwarded-Host": "evil.example",
      "X-Forwarded-For": "10.0.0.1",
      "X-Original-URL": "https://evil.example/",
      "Remote-Email": "root@example.com",
    };
    const headers = { Host: "app.example", ...forged };
    const answer = await request(appOf(url), "/secret", {
      client: { host: "192.0.2.7", port: 1 },
      headers,
      lint: false,
    });
    expect(asked[0]?.headers).toMatchObject({
      "x-forwarded-uri": "/secret",
      "x-forwarded-method": "GET",
      "x-forwarded-host": "app.example",
      "x-forwarded-for": "192.0.2.7",
      "x-original-url": "http://app.example/secret",
    });
    expect(answer.json()).toMatchObject({ principal: { user: "ann", claims: {} } });
  });

  test("names this site as origin says, whatever Host a client sends", async () => {
    const { url, asked } = await recorder(yes({ "Remote-User": "ann" }));
    await request(appOf(url, { origin: "https://app.example" }), "/x", { headers: { Host: "evil.example" } });
    expect(asked[0]?.headers).toMatchObject({ "x-forwarded-host": "app.example", "x-forwarded-proto": "https" });
  });

  test("R-M1: two Authorization fields are 400 and not asked", async () => {
    const { url, asked } = await recorder(yes({ "Remote-User": "ann" }));
    const headers = HeaderList.from([
      ["Authorization", "Basic a"],
      ["Authorization", "Basic b"],
    ]);
    expect([(await request(appOf(url), "/", { headers })).status, asked.length]).toEqual([400, 0]);
  });
});

test("a kept connection that closes when it is used again costs nothing", async () => {
  const sockets = new Set<unknown>();
  const { url, asked } = await recorder((question, answer) => {
    if (sockets.has(question.socket)) question.socket.destroy();
    else answer.writeHead(200, { "Remote-User": "ann" }).end();
    sockets.add(question.socket);
  });
  for (let time = 0; time < 2; time++) expect((await request(appOf(url), "/")).status).toBe(200);
  expect(asked).toHaveLength(3);
});

describe("a no", () => {
  test("that leads to a login goes to the client with its cookies", async () => {
    const place = "https://auth.example/?rd=https%3A%2F%2Fapp.example%2F";
    const url = await listen((_question, answer) => {
      answer.writeHead(302, { Location: place, "Set-Cookie": "csrf=1", "X-Internal": "no", Connection: "close" });
      answer.end();
    });
    const answer = await request(appOf(url), "/", { headers: page });
    expect([answer.status, answer.headers.get("location")]).toEqual([302, place]);
    expect(answer.headers.getAll("set-cookie")).toEqual(["csrf=1"]);
    expect([answer.headers.get("cache-control"), answer.headers.get("x-internal")]).toEqual(["no-store", null]);
  });

  test("of 401 with a place (auth_request) leads pages there and tells programs 401", async () => {
    const url = await listen(
      (_question, answer) => void answer.writeHead(401, { Location: "https://auth.example/" }).end("no"),
    );
    const sent = await request(appOf(url), "/", { headers: page });
    expect([sent.status, sent.headers.get("location")]).toEqual([302, "https://auth.example/"]);
    const told = await request(appOf(url), "/");
    expect([told.status, told.headers.get("location"), told.text()]).toEqual([401, null, "no"]);
  });

  test("of 401 without one leads pages to signIn, which leads back", async () => {
    const url = await listen((_question, answer) => void answer.writeHead(401).end());
    const app = appOf(url, { signIn: "/oauth2/start", origin: "https://app.example" });
    const sent = await request(app, "/a?b=c", { headers: page });
    expect(sent.headers.get("location")).toBe("/oauth2/start?rd=https%3A%2F%2Fapp.example%2Fa%3Fb%3Dc");
    expect((await request(app, "/a")).status).toBe(401);
  });

  test("of 403 goes to the client with its page", async () => {
    const url = await listen(
      (_question, answer) => void answer.writeHead(403, { "Content-Type": "text/html" }).end("<p>no"),
    );
    const answer = await request(appOf(url), "/");
    expect([answer.status, answer.headers.get("content-type"), answer.text()]).toEqual([403, "text/html", "<p>no"]);
  });
});

describe("fails closed", () => {
  test.each<[string, RequestListener]>([
    ["500", (_question, answer) => void answer.writeHead(500, { "Remote-User": "ann" }).end()],
    ["a closed connection", (question) => void question.socket.destroy()],
    [
      "an answer that breaks off",
      (question, answer) => {
        answer.writeHead(200, { "Remote-User": "ann", "Content-Length": 9 }).write("x");
        setImmediate(() => question.socket.destroy());
      },
    ],
    ["no answer in time", () => {}],
    [
      "a head, and no end in time",
      (_question, answer) => void answer.writeHead(200, { "Remote-User": "ann" }).write("x"),
    ],
    [
      "an answer that is too large",
      (_question, answer) => void answer.writeHead(200, { "Remote-User": "ann" }).end("x".repeat(5_000)),
    ],
  ])("%s is 503, also with another way beside it", async (_what, listener) => {
    const url = await listen(listener);
    const through = vi.fn(inside);
    const layers = [forwardAuth({ url, allowHttp: true, timeoutMs: 200, maxBytes: 4_096 })];
    const answer = await request(compose(layers, through), "/");
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
    const users = { ann: { password: "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=" } };
    expect((await request(compose([some(...layers, basicAuth({ users }))], through), "/")).status).toBe(503);
    expect(through).not.toHaveBeenCalled();
  });

  test.each<[string, Partial<ForwardAuthOptions>, string]>([
    ["http to another host", { url: "http://auth.example/" }, "GW_OUTBOUND_URL"],
    ["no field name", { header: "Remote User" }, "GW_FORWARD_AUTH"],
    ["an origin with a path", { origin: "https://app.example/" }, "GW_FORWARD_AUTH"],
    ["no time", { timeoutMs: 0 }, "GW_FORWARD_AUTH"],
  ])("settings are refused: %s", (_why, options, code) => {
    expect(() => appOf("https://auth.example/", options)).toThrow(expect.objectContaining({ code }));
  });
});

test("a gateway's authEndpoint answers it: one gateway's login in front of another's apps", async () => {
  const users = { ann: { password: "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=", groups: ["staff"] } };
  const endpoint = await run(
    authEndpoint([basicAuth({ users }), requireUser({ when: ({ path }) => path !== "/open", groups: ["staff"] })]),
  );
  onTestFinished(() => endpoint.stop());
  const url = await listen(async (question, answer) => {
    const headers = Object.entries(question.headers) as [string, string][];
    const { status, headers: fields } = await endpoint.request(question.url, { headers: HeaderList.from(headers) });
    answer.writeHead(status, [...fields].flat()).end();
  });
  const right = { Authorization: `Basic ${btoa("ann:myPassword")}` };
  expect((await request(appOf(url), "/", { headers: right })).json()).toMatchObject({
    principal: { user: "ann", groups: ["staff"] },
  });
  const refused = await request(appOf(url), "/", { headers: { Authorization: `Basic ${btoa("ann:wrong")}` } });
  expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([
    401,
    'Basic realm="Restricted", charset="UTF-8"',
  ]);
});
