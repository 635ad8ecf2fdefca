import { testRequest } from "@gw/core/testing";
import { expect, test } from "vitest";
import { SessionCookie } from "./cookie.ts";
import { newToken } from "./token.ts";

const http = testRequest();
const https = testRequest("/", { scheme: "https" });

test("R-M8: over TLS the cookie is bound to this host: __Host-, Secure, HttpOnly, SameSite", () => {
  const cookie = new SessionCookie({});
  expect(cookie.write("x", https)).toBe("__Host-sid=x; Path=/; HttpOnly; Secure; SameSite=Lax");
  expect(cookie.write("x", http)).toBe("sid=x; Path=/; HttpOnly; SameSite=Lax");
  expect(cookie.clear(https)).toBe(
    "__Host-sid=; Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax",
  );
});

test("with a path or domain it is __Secure-; without prefix and with a prefix of one's own the name stays", () => {
  expect(new SessionCookie({ path: "/app" }).write("x", https)).toMatch(/^__Secure-sid=x; Path=\/app; /);
  expect(new SessionCookie({ domain: "example.com", name: "n" }).write("x", https)).toMatch(/^__Secure-n=x; Domain=/);
  expect(new SessionCookie({ prefix: false, name: "n" }).write("x", https)).toMatch(/^n=x; Path=\/; HttpOnly; Secure/);
  expect(new SessionCookie({ sameSite: "none", maxAge: 60 }).write("x", https)).toBe(
    "__Host-sid=x; Max-Age=60; Path=/; HttpOnly; Secure; SameSite=None",
  );
});

test("R-M8: reads only the name of its scheme, and only what has the form of an id", () => {
  const cookie = new SessionCookie({});
  const token = newToken();
  const asked = (scheme: "http" | "https", value: string) =>
    cookie.tokens(testRequest("/", { scheme, headers: { Cookie: value } }));
  expect(token).toMatch(/^[\w-]{22}$/);
  expect(asked("https", `sid=${token}`)).toEqual([]);
  expect(asked("https", `__Host-sid=${token}`)).toEqual([token]);
  expect(asked("http", `sid=${token}`)).toEqual([token]);
  for (const bad of ["", "x", `${token}x`, "../../../../etc/passwd", `${token.slice(0, 21)}%`]) {
    expect(asked("http", `sid=${bad}`)).toEqual([]);
  }
});
