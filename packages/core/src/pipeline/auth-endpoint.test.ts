import { expect, test } from "vitest";
import type { Middleware } from "../model/app.ts";
import { HeaderList } from "../model/headers.ts";
import type { Principal } from "../model/principal.ts";
import type { GatewayRequest } from "../model/request.ts";
import { request as send } from "../testing/run.ts";
import { text } from "./answers.ts";
import { authEndpoint } from "./auth-endpoint.ts";
import { layer } from "./layer.ts";
import { withPrincipal } from "./notes.ts";

const ada: Principal = {
  user: "ada",
  type: "form",
  groups: ["staff", "ops"],
  claims: { email: "ada@example.com", name: "Ada 안" },
};

const login = (principal: Principal): Middleware =>
  layer({ name: "login", onRequest: (request) => withPrincipal(request, principal) });

test("answers 200 with the user, groups, name and address as headers", async () => {
  const answer = await send(authEndpoint([login(ada)]), "/auth");
  expect(answer.status).toBe(200);
  expect([...answer.headers]).toEqual([
    ["Remote-User", "ada"],
    ["Remote-Groups", "staff,ops"],
    ["Remote-Name", "Ada \u00ec\u0095\u0088"],
    ["Remote-Email", "ada@example.com"],
  ]);
});

test("R-H18: what is not known of a user goes out empty, so that it replaces what a client sent", async () => {
  const bob = { ...ada, user: "bob", groups: [], claims: {} };
  expect([...(await send(authEndpoint([login(bob)]), "/auth")).headers]).toEqual([
    ["Remote-User", "bob"],
    ["Remote-Groups", ""],
    ["Remote-Name", ""],
    ["Remote-Email", ""],
  ]);
});

test("layers that let the request through without a user give 401", async () => {
  expect((await send(authEndpoint([]), "/auth")).status).toBe(401);
});

test("a refusal goes out as it is, cookies set by layers with it", async () => {
  const challenge = layer({
    name: "challenge",
    onRequest: () => text("no", { status: 401, headers: { "WWW-Authenticate": 'Basic realm="x"' } }),
  });
  const cookie = layer({
    name: "cookie",
    onResponse: (answer) => ({ ...answer, headers: answer.headers.append("Set-Cookie", "a=b") }),
  });
  const answer = await send(authEndpoint([cookie, challenge]), "/auth");
  expect(answer.status).toBe(401);
  expect(answer.headers.get("www-authenticate")).toBe('Basic realm="x"');
  expect(answer.headers.get("set-cookie")).toBe("a=b");
});

const redirecting = layer({
  name: "login-page",
  onRequest: () => text("", { status: 302, headers: { Location: "/login" } }),
});
const forbidding = layer({ name: "forbid", onRequest: () => text("", { status: 429 }) });

test("forward-auth passes redirects on; nginx gets 401 with the Location, and 403 for other refusals", async () => {
  expect((await send(authEndpoint([redirecting]))).status).toBe(302);
  const nginx = { style: "auth_request" } as const;
  const answer = await send(authEndpoint([redirecting], nginx));
  expect(answer.status).toBe(401);
  expect(answer.headers.get("location")).toBe("/login");
  expect((await send(authEndpoint([forbidding], nginx))).status).toBe(403);
  expect((await send(authEndpoint([login(ada)], nginx))).status).toBe(200);
});

test.each<["forward-auth" | "auth_request", Record<string, string>]>([
  [
    "forward-auth",
    {
      "X-Forwarded-Method": "DELETE",
      "X-Forwarded-Uri": "/files/%61/../b?x=1",
      "X-Forwarded-Host": "files.example.com",
      "X-Forwarded-Proto": "https",
    },
  ],
  [
    "auth_request",
    {
      "X-Original-Method": "DELETE",
      "X-Original-URL": "https://files.example.com/files/%61/../b?x=1",
      "X-Forwarded-Proto": "https",
    },
  ],
])("the layers see the request that the other server was asked: %s", async (style, headers) => {
  let seen: GatewayRequest | null = null;
  const watch = layer({
    name: "watch",
    onRequest: (request) => {
      seen = request;
      return withPrincipal(request, ada);
    },
  });
  await send(authEndpoint([watch], { style }), "/auth?ignored", {
    headers: { ...headers, Cookie: "a=b" },
    method: "POST",
    body: "x",
  });
  expect(seen).toMatchObject({
    method: "DELETE",
    path: "/files/b",
    query: "x=1",
    mount: "",
    scheme: "https",
    server: { host: "files.example.com", port: 443 },
    body: { length: 0 },
  });
  const { headers: shown } = seen as unknown as { headers: HeaderList };
  expect(shown.get("host")).toBe("files.example.com");
  expect(shown.get("cookie")).toBe("a=b");
  expect(shown.has("content-length")).toBe(false);
});

test.each<["forward-auth" | "auth_request", Record<string, string>, Record<string, string>]>([
  ["forward-auth", { "X-Forwarded-Uri": "/secret" }, { "X-Original-URI": "/public", "X-Original-URL": "/public" }],
  ["forward-auth", {}, { "X-Original-URI": "/public", "X-Original-Method": "OPTIONS" }],
  ["auth_request", { "X-Original-URI": "/secret" }, { "X-Forwarded-Uri": "/public" }],
  ["auth_request", { "X-Original-URI": "/secret" }, { "X-Original-URL": "/public" }],
  ["auth_request", { "X-Original-URL": "http://x/secret" }, { "X-Original-URI": "/public" }],
])("R-H17: a path that a client adds does not count: %s with %j, and %j", async (style, told, forged) => {
  const open = layer({
    name: "open",
    onRequest: (request) =>
      request.path === "/public" || request.method === "OPTIONS" ? withPrincipal(request, ada) : request,
  });
  const answer = await send(authEndpoint([open], { style }), "/auth", { headers: { ...told, ...forged } });
  expect([400, 401]).toContain(answer.status);
});

test("two fields of nginx that say the same are one", async () => {
  const headers = { "X-Original-URI": "/a?b", "X-Original-URL": "https://files.example.com/a?b" };
  expect((await send(authEndpoint([login(ada)], { style: "auth_request" }), "/auth", { headers })).status).toBe(200);
});

test("a target that cannot be read is 400, not let in", async () => {
  const answer = await send(authEndpoint([login(ada)]), "/auth", { headers: { "X-Forwarded-Uri": "/%zz" } });
  expect(answer.status).toBe(400);
});

test.each<Partial<Principal>>([{ user: "a\r\nRemote-Groups: admin" }, { groups: ["a,admin"] }, { groups: ["a\n"] }])(
  "R-H18: an identity that would forge another one in a header is refused: %j",
  async (bad) => {
    const answer = await send(authEndpoint([login({ ...ada, ...bad })]));
    expect(answer.status).toBe(500);
    expect(answer.outcome.error).toMatchObject({ code: "GW_IDENTITY_VALUE" });
    expect(answer.headers.has("remote-user")).toBe(false);
  },
);

test("a layer's own 200, such as a login page, does not let anybody in", async () => {
  const page = layer({ name: "page", onRequest: () => text("please log in", { headers: { "Set-Cookie": "a=b" } }) });
  for (const style of ["forward-auth", "auth_request"] as const) {
    const answer = await send(authEndpoint([page], { style }), "/auth");
    expect([answer.status, answer.text(), answer.headers.get("set-cookie")]).toEqual([401, "please log in", "a=b"]);
  }
  const late = layer({ name: "late", onResponse: () => text("", { status: 204 }) });
  expect((await send(authEndpoint([late]), "/auth")).status).toBe(401);
});

test("client spellings of its answer's fields are gone before it looks", async () => {
  const answer = await send(authEndpoint([]), "/auth", { headers: HeaderList.from({ "Remote-User": "root" }) });
  expect(answer.status).toBe(401);
});
