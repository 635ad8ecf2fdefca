import { accept, compose, type GatewayRequest, guard, HeaderList, text } from "@gw/core";
import { openSocket, request, testRequest } from "@gw/core/testing";
import { expect, test } from "vitest";
import { promisesMadeBy } from "../test/promises.ts";
import { cookies, cookiesOf } from "./cookies.ts";

const twoCookies = (request: GatewayRequest): void => {
  cookiesOf(request).set("a", "1");
  cookiesOf(request).set("b", "2", { path: "/x", maxAge: 60 });
};

test("R-M6: sets cookies from sync and async apps, each a line of its own, after those of the app", async () => {
  const answer = text("ok", { headers: { "Set-Cookie": ["own=1", "own2=2"] } });
  const sync = compose([cookies()], (request) => {
    twoCookies(request);
    return answer;
  });
  const later = compose([cookies()], async (request) => {
    await Promise.resolve();
    twoCookies(request);
    return answer;
  });
  for (const app of [sync, later]) {
    const { headers } = await request(app);
    expect(headers.getAll("set-cookie")).toEqual([
      "own=1",
      "own2=2",
      "a=1; Path=/; HttpOnly; SameSite=Lax",
      "b=2; Max-Age=60; Path=/x; HttpOnly; SameSite=Lax",
    ]);
  }
  expect(answer.headers.getAll("set-cookie")).toEqual(["own=1", "own2=2"]);
});

test("sets cookies on the accept head of a socket", async () => {
  const app = compose([cookies()], (request) => {
    twoCookies(request);
    return accept(async () => {});
  });
  const socket = await openSocket(app);
  expect(socket.headers.getAll("set-cookie")).toHaveLength(2);
  await socket.ended;
});

test("reads cookies of several Cookie lines, as HTTP/2 sends them", async () => {
  const app = compose([cookies()], (request) => text(JSON.stringify([...cookiesOf(request).all()])));
  const headers = HeaderList.from([
    ["Cookie", "a=1"],
    ["Cookie", "b=%C3%BC"],
  ]);
  expect((await request(app, "/", { headers })).json()).toEqual([
    ["a", "1"],
    ["b", "ü"],
  ]);
});

test("the last call for a name, domain and path counts", async () => {
  const app = compose([cookies()], (request) => {
    const jar = cookiesOf(request);
    jar.set("a", "1");
    jar.set("a", "2", { path: "/x" });
    jar.set("a", "3");
    jar.delete("b");
    return text("");
  });
  expect((await request(app)).headers.getAll("set-cookie").map((line) => line.split("; ", 2).join("; "))).toEqual([
    "a=2; Path=/x",
    "a=3; Path=/",
    "b=; Max-Age=0",
  ]);
});

test("cookies are Secure over TLS, and __Host- names everywhere", async () => {
  const app = compose([cookies({ defaults: { sameSite: "strict" } })], (request) => {
    cookiesOf(request).set("a", "1");
    cookiesOf(request).set("__Host-b", "1");
    return text("");
  });
  const overTls = await request(app, "/", { scheme: "https" });
  expect(overTls.headers.getAll("set-cookie")).toEqual([
    "a=1; Path=/; HttpOnly; Secure; SameSite=Strict",
    "__Host-b=1; Path=/; HttpOnly; Secure; SameSite=Strict",
  ]);
  expect((await request(app)).headers.getAll("set-cookie")[0]).toBe("a=1; Path=/; HttpOnly; SameSite=Strict");
});

test("a cookie set after the head has left throws GW_COOKIE_LATE", async () => {
  let late: unknown = null;
  const app = compose([cookies()], (request) => ({
    ...text(""),
    body: (function* () {
      try {
        cookiesOf(request).set("a", "1");
      } catch (error) {
        late = error;
      }
      yield new Uint8Array(1);
    })(),
  }));
  await request(app);
  expect(late).toMatchObject({ code: "GW_COOKIE_LATE" });
});

test("a dispatch inside the exchange shares the cookies, which go out once", async () => {
  const app = compose([cookies()], (request) => {
    cookiesOf(request).set("a", request.path);
    if (request.kind === "websocket" || request.path === "/inner") return text(cookiesOf(request).get("c") ?? "");
    return request.exchange.dispatch({ ...request, path: "/inner" });
  });
  const answer = await request(app, "/outer", { headers: { Cookie: "c=d" } });
  expect(answer.text()).toBe("d");
  expect(answer.headers.getAll("set-cookie")).toEqual(["a=%2Finner; Path=/; HttpOnly; SameSite=Lax"]);
});

test("a thrown error sets no cookies, wherever it became an answer", async () => {
  const fails = (request: GatewayRequest): never => {
    twoCookies(request);
    throw new Error("after the cookies");
  };
  for (const handler of [fails, guard(fails)]) {
    const answer = await request(compose([cookies()], handler));
    expect([answer.status, answer.headers.has("set-cookie")]).toEqual([500, false]);
  }
});

test("without the layer, cookiesOf says what is missing", async () => {
  expect(() => cookiesOf(testRequest())).toThrow(expect.objectContaining({ code: "GW_NO_COOKIES" }));
});

test("in a sync pipeline it makes no promise", () => {
  const app = compose([cookies()], (request) => {
    cookiesOf(request).set("a", cookiesOf(request).get("b") ?? "");
    return text("");
  });
  const asked = testRequest("/", { headers: { Cookie: "b=1" } });
  expect(promisesMadeBy(() => void app.handle(asked))).toBe(0);
});
