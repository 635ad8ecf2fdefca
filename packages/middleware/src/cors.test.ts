import { accept, compose, type HttpResponse, text } from "@gw/core";
import { openSocket, request } from "@gw/core/testing";
import { describe, expect, test } from "vitest";
import { type CorsOptions, cors } from "./cors.ts";

const app1 = "https://app.example.com";
const appOf = (options: Partial<CorsOptions> = {}, answer: HttpResponse = text("data")) =>
  compose([cors({ origins: [app1], ...options })], (given) =>
    given.kind === "websocket" ? accept(async () => {}) : answer,
  );
const allowOf = async (options: Partial<CorsOptions>, origin?: string) => {
  const { headers } = await request(appOf(options), "/", { headers: origin === undefined ? {} : { Origin: origin } });
  return { origin: headers.get("access-control-allow-origin"), vary: headers.get("vary") };
};
const ask = (method: string, headers?: string) => ({
  method: "OPTIONS",
  headers: {
    Origin: app1,
    "Access-Control-Request-Method": method,
    ...(headers !== undefined && { "Access-Control-Request-Headers": headers }),
  },
});

test.each<[string, string | null]>([
  [app1, app1],
  ["https://app.example.com:8443", null],
  ["http://app.example.com", null],
  ["https://app.example.com.evil.test", null],
  ["https://APP.example.com", null],
  ["null", null],
])("R-M11: of %j exactly the listed origin may read", async (origin, allowed) => {
  expect(await allowOf({}, origin)).toEqual({ origin: allowed, vary: "Origin" });
});

test("R-M11: Vary names Origin also without one, beside what the app says", async () => {
  expect(await allowOf({})).toEqual({ origin: null, vary: "Origin" });
  const answer = text("data", { headers: { Vary: "Accept, origin" } });
  expect((await request(appOf({}, answer))).headers.get("vary")).toBe("Accept, origin");
  const other = text("data", { headers: { Vary: "Accept" } });
  expect((await request(appOf({}, other))).headers.getAll("vary")).toEqual(["Accept, Origin"]);
});

test("R-M11: everybody may read without credentials, never with", async () => {
  expect(await allowOf({ origins: "*" }, "https://any.test")).toEqual({ origin: "*", vary: "Origin" });
  expect(() => cors({ origins: "*", credentials: true })).toThrow(expect.objectContaining({ code: "GW_CORS" }));
  expect(() => cors({ origins: ["*"] })).toThrow(expect.objectContaining({ code: "GW_ORIGIN" }));
  expect(() => cors({ origins: [`${app1}/`] })).toThrow(expect.objectContaining({ code: "GW_ORIGIN" }));
});

test("credentials and readable fields are told to allowed origins only", async () => {
  const options = { credentials: true, exposeHeaders: ["X-Total", "X-Page"] };
  const { headers } = await request(appOf(options), "/", { headers: { Origin: app1 } });
  expect(headers.get("access-control-allow-credentials")).toBe("true");
  expect(headers.get("access-control-expose-headers")).toBe("X-Total, X-Page");
  const foreign = await request(appOf(options), "/", { headers: { Origin: "https://evil.test" } });
  expect(foreign.status).toBe(200);
  expect([...foreign.headers].filter(([name]) => /^access-control/i.test(name))).toEqual([]);
});

test("what the app says of CORS is replaced", async () => {
  const loose = text("data", {
    headers: { "Access-Control-Allow-Origin": "*", "access-control-allow-credentials": "true" },
  });
  const { headers } = await request(appOf({}, loose), "/", { headers: { Origin: app1 } });
  expect(headers.getAll("access-control-allow-origin")).toEqual([app1]);
  expect(headers.has("access-control-allow-credentials")).toBe(false);
});

test("a function decides", async () => {
  const origins = (origin: string) => origin.endsWith(".example.net");
  expect(await allowOf({ origins }, "https://a.example.net")).toMatchObject({ origin: "https://a.example.net" });
  expect(await allowOf({ origins }, "https://a.example.org")).toMatchObject({ origin: null });
});

describe("a preflight", () => {
  test("is answered here, for what the browser asks", async () => {
    const answer = await request(appOf({ credentials: true }), "/", ask("PUT", "x-a, content-type"));
    expect(answer.status).toBe(204);
    expect(answer.headers.toJSON()).toEqual([
      ["Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"],
      ["Access-Control-Allow-Origin", app1],
      ["Access-Control-Allow-Credentials", "true"],
      ["Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE"],
      ["Access-Control-Allow-Headers", "x-a, content-type"],
      ["Access-Control-Max-Age", "600"],
    ]);
  });

  test("can be answered by fixed lists", async () => {
    const options = { methods: ["GET"], requestHeaders: ["X-B"], maxAgeSeconds: 5 };
    const { headers } = await request(appOf(options), "/", ask("PUT", "x-a"));
    expect(headers.get("access-control-allow-methods")).toBe("GET");
    expect(headers.get("access-control-allow-headers")).toBe("X-B");
    expect(headers.get("access-control-max-age")).toBe("5");
  });

  test("of another origin gets no permission, and varies all the same", async () => {
    const init = ask("PUT");
    const answer = await request(appOf(), "/", { ...init, headers: { ...init.headers, Origin: "https://evil.test" } });
    expect(answer.headers.toJSON()).toEqual([
      ["Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"],
    ]);
  });

  test("names that are no field names are not sent back", async () => {
    const { headers } = await request(appOf(), "/", ask("PUT", "x-a, b c, , x@y"));
    expect(headers.get("access-control-allow-headers")).toBe("x-a");
  });

  test("an OPTIONS that asks nothing of CORS goes to the app", async () => {
    expect((await request(appOf(), "/", { method: "OPTIONS", headers: { Origin: app1 } })).text()).toBe("data");
    expect((await request(appOf(), "/", { method: "OPTIONS" })).text()).toBe("data");
  });
});

test("sockets pass: their openings are not under CORS", async () => {
  const socket = await openSocket(appOf(), "/", { headers: { Origin: "https://evil.test" } });
  expect(socket.response).toBe(null);
  await socket.ended;
});
