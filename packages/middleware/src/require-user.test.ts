import { compose, http, isGatewayError, type Principal, text } from "@gw/core";
import { openSocket, request, testRequest } from "@gw/core/testing";
import { describe, expect, expectTypeOf, test } from "vitest";
import { type RequireUserOptions, requireUser, userOf } from "./require-user.ts";

const ann: Principal = { user: "ann", type: "form", groups: ["staff", "ops"], claims: {} };
const appOf = (options: RequireUserOptions = { login: "/login" }) =>
  compose(
    [requireUser(options)],
    http(() => text("inside")),
  );
const html = { Accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

describe("without a user", () => {
  test.each<[string, Record<string, string>, string, number]>([
    ["a navigation", { "Sec-Fetch-Mode": "navigate" }, "GET", 302],
    ["a navigation that posts", { "Sec-Fetch-Mode": "navigate", ...html }, "POST", 303],
    ["a browser on plain HTTP", html, "GET", 302],
    ["a browser's HEAD", html, "HEAD", 302],
    ["a script's fetch that takes HTML", { "Sec-Fetch-Mode": "cors", ...html }, "GET", 401],
    ["an image", { "Sec-Fetch-Mode": "no-cors", Accept: "image/*" }, "GET", 401],
    ["a form posted by an old browser", html, "POST", 401],
    ["a program", { Accept: "*/*" }, "GET", 401],
    ["git", { Accept: "*/*", "User-Agent": "git/2.39" }, "GET", 401],
  ])("%s: %j %s → %i", async (_who, headers, method, status) => {
    expect((await request(appOf(), "/", { headers, method })).status).toBe(status);
  });

  test("a socket gets 401", async () => {
    const { response } = await openSocket(appOf(), "/", { headers: { "Sec-Fetch-Mode": "websocket" } });
    expect(response?.status).toBe(401);
  });

  test("the redirect carries where to go, from the root of the site, and is not cached", async () => {
    const answer = await request(appOf(), "/app/%C3%BC%20x?a=1&b=%2F", { headers: html, mount: "/app" });
    const location = new URL(answer.headers.get("location") ?? "", "http://site.example");
    expect(location.pathname).toBe("/login");
    expect(location.searchParams.get("next")).toBe("/app/%C3%BC%20x?a=1&b=%2F");
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });

  test("a place too long to carry, and one that was posted to, is left out", async () => {
    const long = await request(appOf(), `/${"x".repeat(2_001)}`, { headers: html });
    expect(long.headers.get("location")).toBe("/login");
    const posted = await request(appOf(), "/form", { method: "POST", headers: { "Sec-Fetch-Mode": "navigate" } });
    expect(posted.headers.get("location")).toBe("/login");
  });

  test("without a login page everybody gets 401 with a challenge", async () => {
    for (const options of [{}, { login: false as const }]) {
      const answer = await request(appOf(options), "/", { headers: html });
      expect(answer.status).toBe(401);
      expect(answer.headers.get("www-authenticate")).toBe('Cookie realm="login"');
    }
    const answer = await request(appOf({ login: "/sign%20in" }));
    expect(answer.headers.get("www-authenticate")).toBe('Cookie realm="login", form-action="/sign%20in"');
  });
});

describe("with a user", () => {
  test.each<[RequireUserOptions, number]>([
    [{}, 200],
    [{ users: ["ann"] }, 200],
    [{ users: ["bob"] }, 403],
    [{ users: [] }, 403],
    [{ groups: ["ops"] }, 200],
    [{ groups: ["admins"] }, 403],
    [{ users: ["bob"], groups: ["staff"] }, 200],
    [{ users: ["bob"], groups: ["admins"] }, 403],
  ])("%j → %i", async (options, status) => {
    expect((await request(appOf(options), "/", { principal: ann, headers: html })).status).toBe(status);
  });
});

test("when says which requests need a user", async () => {
  const app = appOf({ when: ({ path }) => path.startsWith("/private") });
  expect((await request(app, "/public")).status).toBe(200);
  expect((await request(app, "/private/x")).status).toBe(401);
});

test("userOf gives the user, never null, with claims of the type that is named", async () => {
  const known = testRequest("/", { principal: { ...ann, claims: { email: "ann@example.com" } } });
  const user = userOf<{ email: string }>(known);
  expect([user.user, user.claims.email]).toEqual(["ann", "ann@example.com"]);
  expectTypeOf(user.user).toEqualTypeOf<string>();
  expectTypeOf(user.groups).toEqualTypeOf<readonly string[]>();
  expectTypeOf(user.claims.email).toEqualTypeOf<string>();
  expectTypeOf(userOf(known).claims.email).toEqualTypeOf<unknown>();
  const use = (): void => {
    // @ts-expect-error: no such claim
    void user.claims.phone;
    // @ts-expect-error: a principal is not changed in place
    user.user = "bob";
  };
  expect(use).toBeTypeOf("function");
  const bare = await request(
    http((head) => text(userOf(head).user)),
    "/",
  );
  expect(isGatewayError(bare.outcome.error, "GW_NO_USER")).toBe(true);
});
