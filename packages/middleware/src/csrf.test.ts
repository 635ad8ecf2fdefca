import { accept, compose, http, json, readForm, text } from "@gw/core";
import { openSocket, type RunningApp, request, run } from "@gw/core/testing";
import { describe, expect, test } from "vitest";
import { type CsrfOptions, csrf, csrfToken } from "./csrf.ts";
import { memoryStore } from "./session/memory.ts";
import { session } from "./session.ts";

const appOf = (options?: CsrfOptions) =>
  compose([csrf(options)], (given) => (given.kind === "websocket" ? accept(async () => {}) : text("inside")));
const own = { Host: "site.example" };
const form = { "Content-Type": "application/x-www-form-urlencoded" };

test.each<[string, Record<string, string>, number]>([
  ["a page of this site", { "Sec-Fetch-Site": "same-origin" }, 200],
  ["the address bar", { "Sec-Fetch-Site": "none" }, 200],
  ["another site", { "Sec-Fetch-Site": "cross-site" }, 403],
  ["another host of the domain", { "Sec-Fetch-Site": "same-site" }, 403],
  [
    "another site, with a matching Origin for show",
    { "Sec-Fetch-Site": "cross-site", Origin: "http://site.example" },
    403,
  ],
  ["an old browser's page of this site", { Origin: "http://site.example" }, 200],
  ["the same host at another port", { Origin: "http://site.example:8080" }, 403],
  ["the same host with another scheme", { Origin: "https://site.example" }, 403],
  ["a longer host", { Origin: "http://site.example.evil.test" }, 403],
  ["a sandboxed page", { Origin: "null" }, 403],
  ["nonsense", { Origin: "site.example" }, 403],
  ["a program", {}, 200],
])("R-M10: a POST from %s: %j → %i", async (_who, headers, status) => {
  expect((await request(appOf(), "/", { method: "POST", headers: { ...own, ...headers } })).status).toBe(status);
});

test.each(["GET", "HEAD", "OPTIONS"])("R-M10: %s is safe and passes", async (method) => {
  const headers = { "Sec-Fetch-Site": "cross-site" };
  expect((await request(appOf(), "/", { method, headers })).status).toBe(200);
});

test.each(["POST", "PUT", "PATCH", "DELETE", "PROPFIND", "get"])("R-M10: %s is not safe", async (method) => {
  const headers = { "Sec-Fetch-Site": "cross-site" };
  expect((await request(appOf(), "/", { method, headers })).status).toBe(403);
});

test.each(["text/plain", "application/json", "multipart/form-data; boundary=x", ""])(
  "R-M10: the content type %j makes no difference",
  async (type) => {
    const headers = { "Sec-Fetch-Site": "cross-site", ...(type !== "" && { "Content-Type": type }) };
    expect((await request(appOf(), "/", { method: "POST", headers, body: "x" })).status).toBe(403);
  },
);

test("R-H14: a socket opened by another site's page is refused, a program's is not", async () => {
  const foreign = await openSocket(appOf(), "/", { headers: { ...own, Origin: "http://evil.test" } });
  expect(foreign.response?.status).toBe(403);
  for (const headers of [own, { ...own, Origin: "http://site.example" }]) {
    const socket = await openSocket(appOf({ token: "never" }), "/", { headers });
    expect(socket.response).toBe(null);
    await socket.ended;
  }
});

test("listed origins pass, exactly; what is no origin stops the start", async () => {
  const app = appOf({ origins: ["https://www.example.com"] });
  const from = async (origin: string) =>
    (await request(app, "/", { method: "POST", headers: { ...own, Origin: origin, "Sec-Fetch-Site": "same-site" } }))
      .status;
  expect(await from("https://www.example.com")).toBe(200);
  expect(await from("https://www.example.com:8443")).toBe(403);
  for (const origin of ["https://www.example.com/", "www.example.com", "https://www.example.com:443", "null", "*"]) {
    expect(() => csrf({ origins: [origin] })).toThrow(expect.objectContaining({ code: "GW_ORIGIN" }));
  }
});

test("behind a proxy that changes Host, the name the client used counts", async () => {
  const init = { method: "POST", headers: { Host: "backend:8080", Origin: "https://www.example" } };
  const server = { host: "www.example", port: 443 };
  expect((await request(appOf(), "/", { ...init, scheme: "https", server })).status).toBe(200);
});

describe("with tokens", () => {
  const tokenApp = (token: "unknown" | "always") =>
    compose(
      [session({ store: memoryStore() }), csrf({ token })],
      http(async (given) => {
        if (given.method === "GET") return text(csrfToken(given));
        const isForm = given.headers.get("content-type")?.includes("urlencoded") === true;
        return json(isForm ? Object.fromEntries(await readForm(given)) : {});
      }),
    );

  async function begun(token: "unknown" | "always"): Promise<{ app: RunningApp; cookie: string; value: string }> {
    const app = await run(tokenApp(token));
    const page = await app.request();
    return { app, cookie: page.headers.get("set-cookie")?.split(";")[0] ?? "", value: page.text() };
  }

  test("R-M10: a client that says nothing of its origin needs one, and the app reads the whole form", async () => {
    const { app, cookie, value } = await begun("unknown");
    const post = (body: string, headers: Record<string, string> = {}) =>
      app.request("/", { method: "POST", body, headers: { ...form, Cookie: cookie, ...headers } });
    expect((await post("a=1")).status).toBe(403);
    expect((await post(`a=1&_csrf=${value.slice(0, -1)}A`)).status).toBe(403);
    expect((await post(`a=1&_csrf=${value}`)).json()).toEqual({ a: "1", _csrf: value });
    expect((await post("a=1", { "X-CSRF-Token": value })).status).toBe(200);
    expect((await post("a=1", { "Sec-Fetch-Site": "same-origin" })).status).toBe(200);
    expect((await post(`_csrf=${value}`, { "Sec-Fetch-Site": "cross-site" })).status).toBe(403);
    await app.stop();
  });

  test("always: this site's own pages need one, too", async () => {
    const { app, cookie, value } = await begun("always");
    const headers = { ...form, Cookie: cookie, "Sec-Fetch-Site": "same-origin" };
    expect((await app.request("/", { method: "POST", headers, body: "a=1" })).status).toBe(403);
    expect((await app.request("/", { method: "POST", headers, body: `_csrf=${value}` })).status).toBe(200);
    await app.stop();
  });

  test("each page has another text for one secret, of no use in another session", async () => {
    const { app, cookie, value } = await begun("always");
    const again = (await app.request("/", { headers: { Cookie: cookie } })).text();
    expect(again).not.toBe(value);
    const other = await app.request();
    const theirs = other.headers.get("set-cookie")?.split(";")[0] ?? "";
    const send = async (Cookie: string, token: string) =>
      (await app.request("/", { method: "POST", headers: { Cookie, "X-CSRF-Token": token } })).status;
    expect(await send(cookie, again)).toBe(200);
    expect(await send(theirs, again)).toBe(403);
    expect(await send("", again)).toBe(403);
    await app.stop();
  });
});
