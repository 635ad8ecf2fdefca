import { createHook } from "node:async_hooks";
import { expect, test, vi } from "vitest";
import type { Handler } from "../model/app.ts";
import { GatewayError } from "../model/errors.ts";
import type { HttpResponse } from "../model/response.ts";
import { type StateKey, stateKey } from "../model/state.ts";
import { testRequest, testSocket } from "../testing/builders.ts";
import { request as send } from "../testing/run.ts";
import { isPromise } from "./and-then.ts";
import { text } from "./answers.ts";
import { asyncOrigin } from "./async-origin.ts";
import { compose } from "./compose.ts";
import { every } from "./every.ts";
import { gateway } from "./gateway.ts";
import { accept } from "./kinds.ts";
import { layer } from "./layer.ts";
import { mount } from "./mount.ts";
import { some } from "./some.ts";

const trace: StateKey<readonly string[]> = stateKey("test.trace");

/** A layer that writes down when it saw the request and the answer. */
function tracing(name: string, isAsync = false) {
  const later = <T>(value: T): T | Promise<T> => (isAsync ? Promise.resolve(value) : value);
  return layer({
    name,
    onRequest: (request) =>
      later({ ...request, state: request.state.with(trace, [...(request.state.get(trace) ?? []), name]) }),
    onResponse: (answer) => later({ ...answer, headers: answer.headers.append("X-Trace", name) }),
  });
}

const echoTrace: Handler = (request) => text((request.state.get(trace) ?? []).join(" "));

test("layers see the request from the outside in and the answer from the inside out", async () => {
  const answer = await send(compose([tracing("a"), tracing("b", true), tracing("c")], echoTrace));
  expect(answer.text()).toBe("a b c");
  expect(answer.headers.get("x-trace")).toBe("c, b, a");
});

test("six layers with sync steps make no promise at all", () => {
  const layers = ["a", "b", "c", "d", "e", "f"].map((name) => tracing(name));
  const app = gateway()
    .use(...layers)
    .mount("/app", echoTrace);
  const request = testRequest("/app/x");
  app.handle(request);
  let made = 0;
  // Sees the promises of async functions, too, which a patched constructor does not.
  const hook = createHook({
    init(_, type) {
      if (type === "PROMISE") made++;
    },
  });
  hook.enable();
  const answer = app.handle(request) as HttpResponse;
  hook.disable();
  expect(made).toBe(0);
  expect(answer.headers.getAll("x-trace")).toEqual(["f", "e", "d", "c", "b", "a"]);
  hook.enable();
  void compose([tracing("slow", true)], echoTrace).handle(request);
  hook.disable();
  expect(made).toBeGreaterThan(0);
});

test("an answer given by onRequest skips the app and the layer's own later steps, not the outer layers", async () => {
  const inner = layer({
    name: "gate",
    onRequest: () => text("no", { status: 403 }),
    onResponse: () => text("never"),
    onError: () => text("never"),
  });
  const answer = await send(compose([tracing("outer"), inner], () => text("never")));
  expect(answer.status).toBe(403);
  expect(answer.headers.get("x-trace")).toBe("outer");
});

test("onResponse gets the request that onRequest returned", async () => {
  let seen: string | undefined;
  const one = layer({
    name: "one",
    onRequest: (request) => ({ ...request, path: "/changed" }),
    onResponse: (answer, request) => {
      seen = request.path;
      return answer;
    },
  });
  await send(compose([one], () => text("")));
  expect(seen).toBe("/changed");
});

test.each<[string, Handler]>([
  [
    "throws",
    () => {
      throw new Error("app");
    },
  ],
  ["rejects", () => Promise.reject(new Error("app"))],
])("onError answers when the inside %s, and its answer passes onResponse", async (_, app) => {
  const caught = layer({
    name: "caught",
    onError: (error) => text(`caught ${(error as Error).message}`),
    onResponse: (answer) => ({ ...answer, headers: answer.headers.append("X-Seen", "1") }),
  });
  const answer = await send(compose([caught], app));
  expect(answer.text()).toBe("caught app");
  expect(answer.headers.get("x-seen")).toBe("1");
});

test("onError may throw on, and does not see what its own onRequest throws", async () => {
  const seen: string[] = [];
  const outer = layer({
    name: "outer",
    onError: (error) => {
      seen.push(`outer ${(error as Error).message}`);
      return text("outer");
    },
  });
  const inner = layer({
    name: "inner",
    onRequest: () => {
      throw new Error("own");
    },
    onError: () => {
      seen.push("inner");
      return text("inner");
    },
  });
  expect((await send(compose([outer, inner], () => text("")))).text()).toBe("outer");
  expect(seen).toEqual(["outer own"]);
});

test.each([false, true])("R-W3: an answer is closed when onResponse fails (async: %s)", async (isAsync) => {
  const close = vi.fn();
  const failing = layer({
    name: "failing",
    onResponse: () => {
      const error = new Error("no");
      if (!isAsync) throw error;
      return Promise.reject(error);
    },
  });
  const answer = await send(compose([failing], () => ({ ...text("x"), close })));
  expect(answer.status).toBe(500);
  expect(close).toHaveBeenCalledTimes(1);
});

test("a layer sees sockets as it sees requests: it may refuse, and change the accepting answer", async () => {
  const app: Handler = (request) =>
    request.kind === "websocket" ? accept(async () => {}) : text(request.principal?.user ?? "");
  const pipeline = compose([tracing("a")], app);
  const accepted = await pipeline.handle(testSocket("/"));
  expect(accepted.kind).toBe("accept");
  expect(accepted.headers.get("x-trace")).toBe("a");
  const gate = layer({ name: "gate", onRequest: () => text("", { status: 401 }) });
  expect(await compose([gate], app).handle(testSocket("/"))).toMatchObject({ kind: "response", status: 401 });
});

test("a layer marked oncePerExchange is passed by when dispatch comes back through it; others are not", async () => {
  const entered: string[] = [];
  const note = (name: string, oncePerExchange: boolean) =>
    layer({
      name,
      oncePerExchange,
      onRequest: (request) => {
        entered.push(`${name} ${request.path}`);
        return request;
      },
    });
  const app: Handler = (request) =>
    request.path === "/from"
      ? request.exchange.dispatch({ ...request, kind: "http", path: "/to" })
      : text(`at ${request.path}`);
  const answer = await send(compose([note("once", true), note("always", false)], app), "/from");
  expect(answer.text()).toBe("at /to");
  expect(entered).toEqual(["once /from", "always /from", "always /to"]);
});

test("the layer that made a pipeline asynchronous is known by name, through mounts and outer layers", async () => {
  const slow = layer({ name: "slow", onRequest: async (request) => request });
  const app = compose(
    [
      tracing("outer"),
      mount(
        "/app",
        compose([slow], () => text("x")),
      ),
    ],
    () => text(""),
  );
  const answer = app.handle(testRequest("/app"));
  if (!isPromise(answer)) throw new Error("expected a promise");
  expect(asyncOrigin(answer)).toBe("slow");
  await answer;
  const byApp = gateway()
    .use(tracing("outer"))
    .run(async () => text("x"))
    .handle(testRequest("/"));
  // No layer did it: it was the app.
  expect(isPromise(byApp) && asyncOrigin(byApp)).toBeNull();
});

test("a layer carries its name and its life", async () => {
  const seen: string[] = [];
  const one = layer({ name: "one", start: () => void seen.push("start"), stop: () => void seen.push("stop") });
  expect(one.layerName).toBe("one");
  expect("reload" in one).toBe(false);
  await send(compose([one], () => text("")));
  expect(seen).toEqual(["start", "stop"]);
});

test("what a layer throws reaches nobody but the log: the answer is a 500 without detail", async () => {
  const bad = layer({
    name: "bad",
    onRequest: () => {
      throw new Error("secret");
    },
  });
  const answer = await send(compose([bad], () => text("")));
  expect(answer.status).toBe(500);
  expect(answer.text()).toBe("500 Internal Server Error\n");
  const refusing = layer({
    name: "refusing",
    onRequest: () => {
      throw new GatewayError("GW_TEST", 409, "taken", { headers: [["Retry-After", "1"]] });
    },
  });
  const refusal = await send(compose([refusing], () => text("")));
  expect(refusal).toMatchObject({ status: 409 });
  expect(refusal.text()).toBe("409 Conflict\ntaken\n");
  expect(refusal.headers.get("retry-after")).toBe("1");
});

test("a layer marked oncePerExchange judges anew in each alternative of some()", async () => {
  const judged = vi.fn();
  const auth = layer({
    name: "auth",
    oncePerExchange: true,
    onRequest(request) {
      judged();
      return request.headers.has("x-key") ? request : text("no", { status: 401 });
    },
  });
  const refuse = layer({ name: "refuse", onRequest: () => text("no", { status: 403 }) });
  const app = compose([some(every(auth, refuse), every(auth))], () => text("in"));
  expect((await send(app, "/", { headers: { "X-Key": "1" } })).text()).toBe("in");
  expect(judged).toHaveBeenCalledTimes(2);
  expect((await send(app)).status).toBe(401);
});

test("a layer marked oncePerExchange that refused is not passed by when an outer layer dispatches", async () => {
  const auth = layer({ name: "auth", oncePerExchange: true, onRequest: () => text("no", { status: 401 }) });
  const pages = layer({
    name: "pages",
    onResponse: (answer, request) =>
      request.kind === "http" && answer.kind === "response" && answer.status === 401 && request.path !== "/login"
        ? request.exchange.dispatch({ ...request, path: "/login" })
        : answer,
  });
  const answer = await send(
    compose([pages, auth], () => text("secret")),
    "/",
  );
  expect(answer.status).toBe(401);
});
