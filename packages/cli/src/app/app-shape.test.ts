import { HeaderList, isGatewayError } from "@gw/core";
import { request } from "@gw/core/testing";
import { describe, expect, test } from "vitest";
import { appFromValue, detectShape } from "./app-shape.ts";

const answer = { kind: "response", status: 200, headers: [], body: null };

describe("detectShape", () => {
  test.each([
    ["an object with handle", { handle: () => answer }, "app"],
    ["an object with fetch", { fetch: () => new Response() }, "fetch"],
    ["a function with fetch", Object.assign(() => answer, { fetch: () => new Response() }), "fetch"],
    ["one parameter", (_request: unknown) => answer, "handler"],
    ["one parameter that is taken apart, with defaults inside", ({ path = "/" }: { path?: string }) => path, "handler"],
    ["a parameter with a comment", Function("request /* = (a, ...b) */", ""), "handler"],
    ["two parameters", (_environ: unknown, _start: unknown) => [], "wsgi"],
    ["three parameters", async (_scope: unknown, _receive: unknown, _send: unknown) => {}, "asgi"],
    ["a bound function", ((_a: unknown, _b: unknown) => []).bind(null), "wsgi"],
    ["an arrow function without parentheses", Function("return request => [request, ...request]")(), "handler"],
  ])("takes %s", (_what, value, shape) => expect(detectShape(value, "./app.ts")).toBe(shape));

  test.each([
    [
      "no parameters",
      () => answer,
      "cannot tell the shape of a function with 0 parameters; say which with --interface",
    ],
    ["four parameters", (_a: 1, _b: 1, _c: 1, _d: 1) => 1, "cannot tell the shape of a function with 4 parameters"],
    [
      "a rest parameter",
      (..._all: unknown[]) => 1,
      "cannot tell the shape of a function with rest or default parameters",
    ],
    [
      "a default parameter",
      (_a: unknown, _b = ")") => 1,
      "cannot tell the shape of a function with rest or default parameters",
    ],
    ["a class", class Application {}, "found a class, expected an App ({ handle })"],
    ["an Express app", Object.assign((_a: 1, _b: 1) => {}, { handle() {}, listen() {} }), "found an Express-style app"],
    ["text", "app", "found a string, expected an App"],
    ["nothing", undefined, "found undefined, expected"],
    ["an object", { application: 1, name: 2 }, "found an object with the keys application, name"],
    ["an empty object", {}, "found an empty object"],
  ])("refuses %s and says what is allowed", (_what, value, message) => {
    try {
      detectShape(value, "./app.ts");
      expect.unreachable();
    } catch (error) {
      expect(isGatewayError(error, "GW_START")).toBe(true);
      expect((error as Error).message).toContain(`./app.ts: ${message}`);
    }
  });
});

describe("appFromValue", () => {
  const name = "./app.ts";

  const none = HeaderList.empty;
  const wsgi = (_environ: unknown, startResponse: (status: string, headers: []) => void) => {
    startResponse("204 No Content", []);
    return [];
  };
  const asgi = async (scope: { type: string }, _receive: unknown, send: (event: object) => Promise<void>) => {
    if (scope.type !== "http") throw new Error("only http");
    await send({ type: "http.response.start", status: 204, headers: [] });
    await send({ type: "http.response.body" });
  };

  test.each([
    ["a handler", "auto", (_request: unknown) => ({ kind: "response", status: 204, headers: none, body: null })],
    ["a handler without parameters", "handler", () => ({ kind: "response", status: 204, headers: none, body: null })],
    ["an App", "auto", { handle: () => ({ kind: "response", status: 204, headers: none, body: null }) }],
    ["a fetch function", "fetch", () => new Response(null, { status: 204 })],
    ["an object with fetch", "auto", { fetch: () => new Response(null, { status: 204 }) }],
    ["a WSGI-shaped function", "auto", wsgi],
    ["a WSGI-shaped function with rest parameters", "wsgi", (...given: Parameters<typeof wsgi>) => wsgi(...given)],
    ["an ASGI-shaped function", "auto", asgi],
  ] as const)("makes an app of %s with --interface %s", async (_what, shape, value) => {
    const app = await appFromValue(value, { shape, name });
    expect((await request(app, "/")).status).toBe(204);
  });

  test("refuses a value that is not what --interface says", async () => {
    await expect(appFromValue({}, { shape: "wsgi", name })).rejects.toThrow(
      "./app.ts: found an empty object, which is no wsgi app",
    );
    await expect(appFromValue(() => 1, { shape: "app", name })).rejects.toThrow("which is no app app");
  });
});
