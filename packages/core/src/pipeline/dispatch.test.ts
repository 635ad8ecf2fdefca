import { expect, test } from "vitest";
import { stateKey } from "../model/state.ts";
import { testRequest } from "../testing/builders.ts";
import { request as send } from "../testing/run.ts";
import { text } from "./answers.ts";
import { redirectedRequest } from "./dispatch.ts";
import { gateway } from "./gateway.ts";
import { http } from "./kinds.ts";
import { mountVariables, withVariables } from "./variables.ts";

const key = stateKey<string>("test.key");

test("R-C8: the request of a local redirect is a GET without a body, outside all mounts", () => {
  const base = testRequest("/app/from?old=1", {
    method: "POST",
    mount: "/app",
    body: "abc",
    headers: { "Content-Type": "text/plain", Cookie: "a=b", Expect: "100-continue" },
    principal: { user: "ada", type: "form", groups: [], claims: {} },
  });
  const request = withVariables({ ...base, state: base.state.with(key, "kept") }, () => ({ A: "1" }));
  const redirected = redirectedRequest(request, "/other/%61/../b?x=%20");
  expect(redirected).toMatchObject({
    method: "GET",
    mount: "",
    path: "/other/b",
    query: "x=%20",
    target: "/app/from?old=1",
    principal: request.principal,
  });
  expect([...redirected.headers].map(([name]) => name)).toEqual(["Host", "Cookie"]);
  expect(redirected.body.length).toBe(0);
  expect(redirected.state.get(key)).toBe("kept");
  expect(mountVariables(redirected)).toEqual({});
});

test.each(["//host/path", "/\\host", "http://host/", "relative", "", "*", "/%zz", "/a b", "/../up", "/a#b"])(
  "R-C8: %j is not local: 502",
  (target) => {
    expect(() => redirectedRequest(testRequest(), target)).toThrow(
      expect.objectContaining({ code: "GW_LOCAL_REDIRECT", status: 502 }),
    );
  },
);

test("dispatched, it goes through the whole gateway", async () => {
  const app = gateway()
    .mount(
      "/from",
      http((request) => request.exchange.dispatch(redirectedRequest(request, "/to/x?q=1"))),
    )
    .mount("/to", (request) => text(`${request.method} ${request.mount}|${request.path}?${request.query}`));
  expect((await send(app, "/from", { method: "POST", body: "x" })).text()).toBe("GET /to|/x?q=1");
});
