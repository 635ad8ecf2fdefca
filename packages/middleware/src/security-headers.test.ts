import { compose, type HttpResponse, text } from "@gw/core";
import { request } from "@gw/core/testing";
import { expect, test } from "vitest";
import { type SecurityHeadersOptions, securityHeaders } from "./security-headers.ts";

const appOf = (options?: SecurityHeadersOptions, answer: HttpResponse = text("page")) =>
  compose([securityHeaders(options)], () => answer);

test("R-M13: by default the fields that break no existing app, and no other", async () => {
  const { headers } = await request(appOf(), "/", { scheme: "https" });
  expect([...headers]).toEqual([
    ["Content-Type", "text/plain; charset=utf-8"],
    ["X-Content-Type-Options", "nosniff"],
    ["X-Frame-Options", "SAMEORIGIN"],
    ["Referrer-Policy", "strict-origin-when-cross-origin"],
    ["X-Permitted-Cross-Domain-Policies", "none"],
  ]);
});

test("what the app says stays, whatever its case; X-Powered-By is removed", async () => {
  const answer = text("page", { headers: { "x-frame-options": "DENY", "X-Powered-By": "PHP/8" } });
  const { headers } = await request(appOf({}, answer));
  expect(headers.getAll("x-frame-options")).toEqual(["DENY"]);
  expect(headers.has("x-powered-by")).toBe(false);
});

test("every field can be left out or set", async () => {
  const off = {
    contentTypeOptions: false,
    frameOptions: false,
    referrerPolicy: false,
    crossDomainPolicies: false,
  } as const;
  const answer = text("page", { headers: { "X-Powered-By": "x" } });
  expect((await request(appOf({ ...off, hide: [] }, answer))).headers.toJSON()).toEqual(answer.headers.toJSON());
  const { headers } = await request(
    appOf({
      ...off,
      openerPolicy: "same-origin",
      resourcePolicy: "same-site",
      permissionsPolicy: "camera=()",
      contentSecurityPolicy: "default-src 'self'",
    }),
  );
  expect([...headers].slice(1)).toEqual([
    ["Content-Security-Policy", "default-src 'self'"],
    ["Cross-Origin-Opener-Policy", "same-origin"],
    ["Cross-Origin-Resource-Policy", "same-site"],
    ["Permissions-Policy", "camera=()"],
  ]);
});

test("a policy can be made for each request", async () => {
  const app = appOf({ contentSecurityPolicy: ({ path }) => `default-src 'none'; img-src ${path}` });
  expect((await request(app, "/x")).headers.get("content-security-policy")).toBe("default-src 'none'; img-src /x");
});

test("Strict-Transport-Security goes out over https only", async () => {
  const app = appOf({ hsts: { maxAgeSeconds: 31_536_000, includeSubDomains: true } });
  expect((await request(app)).headers.has("strict-transport-security")).toBe(false);
  expect((await request(app, "/", { scheme: "https" })).headers.get("strict-transport-security")).toBe(
    "max-age=31536000; includeSubDomains",
  );
  expect(() => securityHeaders({ hsts: { maxAgeSeconds: -1 } })).toThrow(
    expect.objectContaining({ code: "GW_SECURITY_HEADERS" }),
  );
});
