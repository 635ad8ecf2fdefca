import { expect, test } from "vitest";
import { decodeText } from "../bytes/byte-string.ts";
import type { HttpResponse } from "../model/response.ts";
import { openSocket, request as send } from "../testing/run.ts";
import { html, json, redirect, text } from "./answers.ts";
import { http, webSocket } from "./kinds.ts";

const bodyOf = (answer: HttpResponse): string => decodeText(answer.body as Uint8Array);

test.each([
  [text("안"), "안", "text/plain; charset=utf-8"],
  [html("<p>안"), "<p>안", "text/html; charset=utf-8"],
  [json({ a: ["안", null] }), '{"a":["안",null]}', "application/json"],
])("makers send UTF-8 with their type", (answer, body, type) => {
  expect(bodyOf(answer)).toBe(body);
  expect(answer.headers.get("content-type")).toBe(type);
  expect(answer.status).toBe(200);
});

test("status and fields can be given; a Content-Type replaces the maker's", () => {
  const answer = text("x", { status: 404, headers: { "Cache-Control": "no-store" } });
  expect(answer.status).toBe(404);
  expect([...answer.headers]).toEqual([
    ["Content-Type", "text/plain; charset=utf-8"],
    ["Cache-Control", "no-store"],
  ]);
  expect([...json({}, { headers: { "content-type": "application/problem+json" } }).headers]).toEqual([
    ["content-type", "application/problem+json"],
  ]);
});

test("answers of one maker without options share one header list", () => {
  expect(text("a").headers).toBe(text("b").headers);
});

const cycle: unknown[] = [];
cycle.push(cycle);

test.each([undefined, () => {}, Symbol("x"), 1n, cycle])("what JSON cannot write is refused", (value) => {
  expect(() => json(value)).toThrow(expect.objectContaining({ code: "GW_JSON", status: 500 }));
});

test.each([
  ["/a b", "/a%20b"],
  ["/안?q=국", "/%EC%95%88?q=%EA%B5%AD"],
  ["/a%20b", "/a%20b"],
  ["https://example.com/?a=1#x", "https://example.com/?a=1#x"],
])("redirects to text: %s becomes %s", (to, location) => {
  const answer = redirect(to);
  expect(answer.status).toBe(302);
  expect(answer.headers.get("location")).toBe(location);
});

test.each(["/a\r\nSet-Cookie: x=y", "/a\nb", "/a\u0000", "/\tx", ""])("R-H5: the target %j is refused", (to) => {
  expect(() => redirect(to)).toThrow(expect.objectContaining({ code: "GW_REDIRECT" }));
});

test("a redirect has a redirect's status", () => {
  expect(redirect("/", 303).status).toBe(303);
  for (const status of [200, 300, 304, 305]) expect(() => redirect("/", status)).toThrow("301, 302, 303, 307 or 308");
});

test("http() answers sockets 400, webSocket() answers requests 426, both clearly", async () => {
  const plain = http(() => text("page"));
  expect((await send(plain)).text()).toBe("page");
  const refused = (await openSocket(plain)).response;
  expect(refused?.status).toBe(400);
  expect(refused?.text()).toContain("does not speak WebSocket");
  const upgrade = await send(webSocket(() => text("", { status: 403 })));
  expect(upgrade.status).toBe(426);
  expect(upgrade.text()).toContain("speaks WebSocket only");
  expect((await openSocket(webSocket(() => text("", { status: 403 })))).response?.status).toBe(403);
});
