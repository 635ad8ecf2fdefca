import { H3 } from "h3";
import { Hono } from "hono";
import { describe, expect, test, vi } from "vitest";
import { encodeText } from "../bytes/byte-string.ts";
import { GatewayError } from "../model/errors.ts";
import type { Principal } from "../model/principal.ts";
import { gateway } from "../pipeline/gateway.ts";
import { layer } from "../pipeline/layer.ts";
import { withPrincipal } from "../pipeline/notes.ts";
import { bodySource } from "../testing/body-source.ts";
import { testRequest } from "../testing/builders.ts";
import { openSocket, request as send } from "../testing/run.ts";
import { type FetchEnvironment, fromFetch } from "./from-fetch.ts";

const ada: Principal = { user: "ada", type: "form", groups: [], claims: {} };
const login = layer({ name: "login", onRequest: (request) => withPrincipal(request, ada) });

const seenUrl = (init: Parameters<typeof send>[2] = {}, target = "/") =>
  send(
    fromFetch((request) => new Response(`${request.method} ${request.url}`)),
    target,
    init,
  ).then((answer) => answer.text());

test.each([
  ["/a/b?x=1&y", "GET http://localhost/a/b?x=1&y"],
  ["/a%2Fb%20c?q=%20", "GET http://localhost/a%2Fb%20c?q=%20"],
  ["/\u00e9?\u00e9", "GET http://localhost/%E9?%E9"],
  ["/안", "GET http://localhost/%EC%95%88"],
  ["/a?b?c", "GET http://localhost/a?b?c"],
])("the URL is the one the client asked for: %s", async (target, expected) => {
  expect(await seenUrl({}, target)).toBe(expected);
});

test("R-M16: the app sees no path that guards did not see: backslashes and dots", async () => {
  expect(await seenUrl({}, "/a\\..\\b")).toBe("GET http://localhost/a%5C..%5Cb");
  expect(await seenUrl({}, "/public/..%2Fadmin")).toBe("GET http://localhost/admin");
  expect(await seenUrl({}, "/a//b")).toBe("GET http://localhost/a/b");
});

test("scheme, host and port are those the client used", async () => {
  expect(await seenUrl({ scheme: "https", headers: { Host: "example.com:8443" } })).toBe(
    "GET https://example.com:8443/",
  );
  expect(await seenUrl({ server: { path: "/run/gw.sock" } })).toBe("GET http://localhost/");
});

test("a method goes out as it came; TRACE and CONNECT cannot: 501", async () => {
  expect(await seenUrl({ method: "PROPFIND" })).toContain("PROPFIND ");
  for (const method of ["TRACE", "TRACK"]) {
    const answer = await send(
      fromFetch(() => new Response()),
      "/",
      { method },
    );
    expect(answer.status).toBe(501);
    expect(answer.outcome.error).toMatchObject({ code: "GW_FETCH_METHOD" });
  }
  const connect = fromFetch(() => new Response()).handle;
  expect(() => connect({ ...testRequest("/"), method: "CONNECT" })).toThrow(
    expect.objectContaining({ code: "GW_FETCH_METHOD" }),
  );
});

test("what Request refuses is the client's fault: 400", async () => {
  const answer = await send(
    fromFetch(() => new Response()),
    "/",
    { headers: { Host: "a b" }, lint: false },
  );
  expect(answer.status).toBe(400);
});

test("sockets are refused clearly", async () => {
  expect((await openSocket(fromFetch(() => new Response()))).response?.status).toBe(400);
});

test("headers pass both ways, Set-Cookie lines apart, connection fields dropped", async () => {
  const app = fromFetch((request) => {
    const headers = new Headers({ "X-Got": request.headers.get("x-a") ?? "", Connection: "close" });
    headers.append("Set-Cookie", "a=1");
    headers.append("Set-Cookie", "b=2, c");
    return new Response(null, { status: 204, headers });
  });
  const answer = await send(app, "/", {
    headers: [
      ["X-A", "1"],
      ["X-A", "\u00e9"],
    ],
  });
  expect(answer.status).toBe(204);
  expect(answer.headers.get("x-got")).toBe("1, \u00e9");
  expect(answer.headers.getAll("set-cookie")).toEqual(["a=1", "b=2, c"]);
  expect(answer.headers.has("connection")).toBe(false);
});

test("bodies stream both ways at once: a chunk comes back while the upload is still running", async () => {
  const upload = bodySource();
  const echo = fromFetch((request) => new Response(request.body));
  const got: string[] = [];
  let arrive: () => void = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const answering = send(echo, "/", {
    method: "POST",
    body: upload.body,
    onChunk: (chunk) => {
      got.push(new TextDecoder().decode(chunk));
      arrive();
    },
  });
  upload.push(encodeText("first"));
  await arrived;
  expect(got).toEqual(["first"]);
  upload.push(encodeText("second"));
  upload.end();
  expect((await answering).text()).toBe("firstsecond");
});

test("nothing of a body is read that the app does not read", async () => {
  const open = vi.fn();
  const body = {
    async *[Symbol.asyncIterator]() {
      open();
      yield encodeText("x");
    },
  };
  await send(
    fromFetch(() => new Response("unread")),
    "/",
    { method: "POST", body },
  );
  expect(open).not.toHaveBeenCalled();
});

test("GET with a body: the app sees none", async () => {
  const app = fromFetch(async (request) => new Response(`${request.body === null}`));
  expect((await send(app, "/", { body: "x" })).text()).toBe("true");
});

test("R-H7: a body beyond the limit fails the app's read with the gateway's 413", async () => {
  const app = fromFetch(async (request) => new Response(await request.text()));
  const answer = await send(app, "/", { method: "POST", body: [encodeText("abcd")], maxBodyBytes: 3 });
  expect(answer.status).toBe(413);
});

test("HEAD gives the head alone", async () => {
  const answer = await send(
    fromFetch((request) => new Response(request.method, { headers: { "X-A": "1" } })),
    "/",
    { method: "HEAD" },
  );
  expect(answer.headers.get("x-a")).toBe("1");
  expect(answer.bytes.length).toBe(0);
});

test("a client that leaves aborts the Request's signal and cancels the Response's stream, even while it waits", async () => {
  const client = new AbortController();
  const seen: string[] = [];
  const app = fromFetch((request) => {
    request.signal.addEventListener("abort", () => seen.push("signal"));
    return new Response(
      new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(encodeText("one")),
        pull: () => new Promise(() => {}),
        cancel: () => void seen.push("cancel"),
      }),
    );
  });
  const answer = await send(app, "/", { signal: client.signal, onChunk: () => client.abort() });
  expect(answer.outcome.result).toBe("gone");
  expect(seen.sort()).toEqual(["cancel", "signal"]);
});

test("a stream that is never read is cancelled", async () => {
  const cancel = vi.fn();
  const app = fromFetch(() => new Response(new ReadableStream({ cancel })));
  await send(app, "/", { method: "HEAD" });
  expect(cancel).toHaveBeenCalledTimes(1);
});

test("an error in the stream cuts the answer", async () => {
  const app = fromFetch(
    () =>
      new Response(
        new ReadableStream<Uint8Array>({
          start: (controller) => controller.enqueue(encodeText("half")),
          pull: (controller) => controller.error(new Error("broken")),
        }),
      ),
  );
  const answer = await send(app);
  expect(answer.outcome.result).toBe("cut");
  expect(answer.text()).toBe("half");
});

test.each([undefined, "text", { status: 200 }, Response.error()])(
  "a result that is no sendable Response is 500",
  async (bad) => {
    const answer = await send(fromFetch(() => bad as Response));
    expect(answer.status).toBe(500);
    expect(answer.outcome.error).toMatchObject({ code: "GW_FETCH_RESPONSE" });
  },
);

test("what the handler throws is the gateway's to answer, its code kept", async () => {
  const failing = fromFetch(() => {
    throw new GatewayError("GW_TEST", 418, "teapot");
  });
  expect((await send(failing)).status).toBe(418);
  expect((await send(fromFetch(() => Promise.reject(new Error("x"))))).status).toBe(500);
});

test("waitUntil keeps the gateway from stopping before the work is done", async () => {
  const seen: string[] = [];
  const app = fromFetch((_, __, execution) => {
    execution.waitUntil(
      (async () => {
        await new Promise((resolve) => setImmediate(resolve));
        seen.push("work");
      })(),
    );
    return new Response("ok");
  });
  await send({ ...app, stop: () => void seen.push("stop") });
  expect(seen).toEqual(["work", "stop"]);
});

describe("Hono", () => {
  const app = new Hono<{ Bindings: FetchEnvironment }>()
    .get("/hello/:name", (c) => c.text(`${c.req.param("name")} ${c.env.principal?.user} ${c.env.params.get("zone")}`))
    .post("/echo", async (c) => c.json({ got: await c.req.json() }, 201))
    .get("/cookies", (c) => {
      c.header("Set-Cookie", "a=1", { append: true });
      c.header("Set-Cookie", "b=2", { append: true });
      return c.body(null, 204);
    })
    .get("/wait", (c) => {
      c.executionCtx.waitUntil(Promise.resolve());
      return c.redirect("/hello/x");
    });
  const site = gateway().use(login).mount("/hono", fromFetch(app));

  test("routes below its mount, with the gateway's user and params as c.env", async () => {
    const answer = await send(site, "/hono/hello/%EC%95%88", { params: { zone: "eu" } });
    expect(answer.text()).toBe("안 ada eu");
    expect((await send(site, "/hono/nowhere")).status).toBe(404);
  });

  test("reads JSON, sets cookies, redirects, uses its execution context", async () => {
    const posted = await send(site, "/hono/echo", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: '{"a":1}',
    });
    expect(posted.status).toBe(201);
    expect(posted.json()).toEqual({ got: { a: 1 } });
    expect((await send(site, "/hono/cookies")).headers.getAll("set-cookie")).toEqual(["a=1", "b=2"]);
    expect((await send(site, "/hono/wait")).headers.get("location")).toBe("/hello/x");
  });
});

describe("h3", () => {
  const app = new H3()
    .get("/hello/:name", (event) => {
      const { principal } = event.context as unknown as FetchEnvironment;
      return `${event.context.params?.name} ${principal?.user}`;
    })
    .post("/echo", async (event) => ({ got: await event.req.json() }))
    .get("/later", (event) => {
      event.waitUntil(Promise.resolve());
      return "ok";
    });
  const site = gateway().use(login).mount("/h3", fromFetch(app));

  test("routes below its mount, with the gateway's user in event.context", async () => {
    expect((await send(site, "/h3/hello/bob")).text()).toBe("bob ada");
    expect((await send(site, "/h3/nowhere")).status).toBe(404);
  });

  test("reads JSON and answers it; waitUntil is there", async () => {
    const answer = await send(site, "/h3/echo", { method: "POST", body: '{"a":1}' });
    expect(answer.json()).toEqual({ got: { a: 1 } });
    expect((await send(site, "/h3/later")).text()).toBe("ok");
  });
});
