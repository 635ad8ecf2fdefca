import { expect, test } from "vitest";
import { testRequest, testSocket } from "./builders.ts";

test("a request from nothing is a complete GET of /", () => {
  const request = testRequest();
  expect(request).toMatchObject({ kind: "http", method: "GET", scheme: "http", target: "/", mount: "", path: "/" });
  expect(request.headers.get("host")).toBe("localhost");
  expect(request.body.length).toBe(0);
  expect(request.principal).toBe(null);
});

test("the path is read as carriers read it, under the mount", () => {
  const request = testRequest("/app/a/../b%20c?q=1", { mount: "/app" });
  expect(request).toMatchObject({ mount: "/app", path: "/b c", query: "q=1", target: "/app/a/../b%20c?q=1" });
});

test("a target outside the mount is a mistake of the test", () => {
  expect(() => testRequest("/application", { mount: "/app" })).toThrow("not under the mount");
});

test("a socket is a GET without a body", () => {
  expect(testSocket("/chat", { subprotocols: ["v1"] })).toMatchObject({
    kind: "websocket",
    method: "GET",
    subprotocols: ["v1"],
    body: { length: 0 },
  });
});

test("a Content-Length of one's own announces another length than the body has", async () => {
  const { body } = testRequest("/", { method: "POST", headers: { "Content-Length": "5" }, body: "abc" });
  const read = async () => {
    for await (const _ of body);
  };
  await expect(read()).rejects.toMatchObject({ code: "GW_BODY_CUT", status: 400 });
});
