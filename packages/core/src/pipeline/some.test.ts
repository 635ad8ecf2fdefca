import { describe, expect, test, vi } from "vitest";
import type { Handler, Middleware } from "../model/app.ts";
import { GatewayError } from "../model/errors.ts";
import type { Principal } from "../model/principal.ts";
import { testRequest } from "../testing/builders.ts";
import { openSocket, request as send } from "../testing/run.ts";
import { isPromise } from "./and-then.ts";
import { text } from "./answers.ts";
import { compose } from "./compose.ts";
import { every } from "./every.ts";
import { accept } from "./kinds.ts";
import { layer } from "./layer.ts";
import { notesOf, withPrincipal } from "./notes.ts";
import { some } from "./some.ts";

const person = (user: string, type: string): Principal => ({ user, type, groups: [], claims: {} });
const who: Handler = (request) =>
  request.kind === "websocket" ? accept(async () => {}) : text(`${request.principal?.user}/${request.principal?.type}`);

/** A layer that lets in who sends its name in X-Key, and challenges all others. */
function key(name: string, isAsync: boolean, refusal = 401): Middleware {
  return layer({
    name,
    onRequest(request) {
      const isIn = request.headers.get("x-key") === name;
      const headers = { "WWW-Authenticate": `${name} realm="x"` };
      const result = isIn
        ? withPrincipal(request, person("ada", name))
        : text(`not ${name}`, { status: refusal, headers });
      return isAsync ? Promise.resolve(result) : result;
    },
  });
}

describe.each([false, true])("async layers: %s", (isAsync) => {
  const app = compose([some(key("A", isAsync), key("B", isAsync), key("C", isAsync))], who);

  test.each(["A", "B", "C"])("the layer that lets the request through wins: %s", async (name) => {
    expect((await send(app, "/", { headers: { "X-Key": name } })).text()).toBe(`ada/${name}`);
  });

  test("if all refuse, the last refusal is sent with the challenges of all", async () => {
    const answer = await send(app);
    expect(answer.status).toBe(401);
    expect(answer.text()).toBe("not C");
    expect(answer.headers.getAll("www-authenticate")).toEqual(['A realm="x"', 'B realm="x"', 'C realm="x"']);
  });

  test("sockets are let in and refused alike", async () => {
    const accepted = await openSocket(app, "/", { headers: { "X-Key": "B" } });
    expect(accepted.response).toBe(null);
    accepted.close();
    await accepted.ended;
    expect((await openSocket(app, "/")).response?.status).toBe(401);
  });

  test("a last refusal that is no 401 is sent as it is", async () => {
    const answer = await send(compose([some(key("A", isAsync), key("B", isAsync, 403))], who));
    expect(answer.status).toBe(403);
    expect(answer.headers.getAll("www-authenticate")).toEqual(['B realm="x"']);
  });

  test("refusals that are not sent are closed, each once", async () => {
    const close = vi.fn();
    const closing = layer({
      name: "closing",
      onRequest: () => {
        const refusal = { ...text("", { status: 401 }), close };
        return isAsync ? Promise.resolve(refusal) : refusal;
      },
    });
    await send(compose([some(closing, closing, key("A", isAsync))], who), "/", { headers: { "X-Key": "A" } });
    expect(close).toHaveBeenCalledTimes(2);
  });
});

test("sync layers make no promise", () => {
  const app = compose([some(key("A", false), key("B", false))], who);
  expect(isPromise(app.handle(testRequest("/", { headers: { "X-Key": "B" } })))).toBe(false);
});

test("an answer of the app is final, whatever its status; the app runs once", async () => {
  const run = vi.fn(() => text("app says no", { status: 401 }));
  const answer = await send(compose([some(key("A", false), key("B", false))], run), "/", { headers: { "X-Key": "A" } });
  expect(answer.text()).toBe("app says no");
  expect(run).toHaveBeenCalledTimes(1);
});

test("what the app throws is final, too", async () => {
  const run = vi.fn(() => {
    throw new GatewayError("GW_TEST", 403, "the app's");
  });
  const app = compose([some(key("A", false), key("B", false))], run);
  expect((await send(app, "/", { headers: { "X-Key": "A" } })).status).toBe(403);
  expect(
    (
      await send(
        compose([some(key("A", true), key("B", true))], async () => run()),
        "/",
        { headers: { "X-Key": "A" } },
      )
    ).status,
  ).toBe(403);
  expect(run).toHaveBeenCalledTimes(2);
});

test("a layer's own answer that is no refusal is final: a redirect to the login page, the login page itself", async () => {
  for (const status of [200, 303]) {
    const login = layer({ name: "login", onRequest: () => text("login", { status }) });
    const answer = await send(compose([some(login, key("A", false))], who), "/", { headers: { "X-Key": "A" } });
    expect(answer.status).toBe(status);
  }
});

test("a refusal may be thrown; its challenge counts, and leaves no note when another layer lets in", async () => {
  const thrown = layer({
    name: "thrown",
    onRequest: () => {
      throw new GatewayError("GW_TEST", 401, "no", { headers: [["WWW-Authenticate", "T"]] });
    },
  });
  const rejected = layer({
    name: "rejected",
    onRequest: () => Promise.reject(new GatewayError("GW_TEST", 401, "no", { headers: [["WWW-Authenticate", "R"]] })),
  });
  const refused = await send(compose([some(thrown, rejected)], who));
  expect(refused.status).toBe(401);
  expect(refused.headers.getAll("www-authenticate")).toEqual(["T", "R"]);
  let error: unknown = "unset";
  const app = compose([some(thrown, rejected, key("A", false))], (request) => {
    error = notesOf(request.exchange).error;
    return who(request);
  });
  expect((await send(app, "/", { headers: { "X-Key": "A" } })).status).toBe(200);
  expect(error).toBe(null);
});

test("R-O6: a layer that breaks fails closed: no other layer is asked", async () => {
  const broken = layer({
    name: "broken",
    onRequest: () => {
      throw new Error("store down");
    },
  });
  const answer = await send(compose([some(broken, key("A", false))], who), "/", { headers: { "X-Key": "A" } });
  expect(answer.status).toBe(500);
});

test("a group of layers is one alternative: all of it must let the request through", async () => {
  const app = compose([some(every(key("A", false), key("A2", false)), key("B", false))], who);
  expect((await send(app, "/", { headers: { "X-Key": "A" } })).status).toBe(401);
  expect((await send(app, "/", { headers: { "X-Key": "B" } })).status).toBe(200);
});

test("alternatives nest, and a dispatch through the same ones is judged on its own", async () => {
  const nested = some(some(key("A", false), key("B", true)), key("C", false));
  for (const name of ["A", "B", "C"]) {
    expect((await send(compose([nested], who), "/", { headers: { "X-Key": name } })).text()).toBe(`ada/${name}`);
  }
  const app = compose([nested], (request) =>
    request.path === "/from"
      ? request.exchange.dispatch({ ...request, kind: "http", path: "/to", headers: request.headers.without("x-key") })
      : who(request),
  );
  const answer = await send(app, "/from", { headers: { "X-Key": "A" } });
  expect(answer.status).toBe(401);
});

test("the winning layer's onResponse sees the app's answer", async () => {
  const stamped = every(
    layer({ name: "stamp", onResponse: (answer) => ({ ...answer, headers: answer.headers.append("X-Stamp", "1") }) }),
    key("A", false),
  );
  const answer = await send(compose([some(stamped, key("B", false))], who), "/", { headers: { "X-Key": "A" } });
  expect(answer.headers.get("x-stamp")).toBe("1");
});

test("no alternatives is a mistake", () => {
  expect(() => some()).toThrow("at least one");
});

test("a user that one alternative found and then refused is not the log's user", async () => {
  const refuse = layer({ name: "refuse", onRequest: () => text("no", { status: 403 }) });
  let noted: unknown = "unset";
  const watch = layer({
    name: "watch",
    onResponse: (answer, request) => {
      noted = notesOf(request.exchange).principal;
      return answer;
    },
  });
  const app = compose([watch, some(every(key("A", false), refuse), key("B", false))], who);
  expect((await send(app, "/", { headers: { "X-Key": "A" } })).status).toBe(401);
  expect(noted).toBe(null);
});
