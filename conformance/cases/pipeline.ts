// Layers, errors and faces: the same on every carrier.
import assert from "node:assert/strict";
import { fromAsgi } from "@gw/asgi";
import { cascade, compose, fromFetch, gateway, html, http, layer, type Middleware, redirect, text } from "@gw/core";
import { fromWsgi, toWsgi } from "@gw/wsgi";
import { defineCase } from "../case.ts";

/** A layer that writes its name before and after. */
function named(name: string): Middleware {
  return layer({
    name,
    onRequest: (request) => ({ ...request, headers: request.headers.append("X-In", name) }),
    onResponse: (answer) => ({ ...answer, headers: answer.headers.append("X-Out", name) }),
  });
}

export const layerOrder = defineCase({
  title: "layers meet a request from the outside in and an answer from the inside out",
  app: compose([named("outer"), named("inner")], (request) => text(request.headers.get("x-in") ?? "")),
  async check({ fetch }) {
    const answer = await fetch("/");
    assert.equal(answer.text(), "outer, inner");
    assert.deepEqual(answer.headers.getAll("x-out").join(", "), "inner, outer");
  },
});

export const refusal = defineCase({
  title: "a layer that answers keeps the app from being asked",
  app: compose(
    [
      layer({
        name: "deny",
        onRequest: (request) => (request.path === "/no" ? text("denied", { status: 403 }) : request),
      }),
    ],
    () => text("app"),
  ),
  async check({ fetch }) {
    assert.equal((await fetch("/no")).status, 403);
    assert.equal((await fetch("/yes")).text(), "app");
  },
});

export const errorInMount = defineCase({
  title: "an error in a mounted app becomes a response inside the outer layers",
  app: gateway()
    .use(named("outer"))
    .mount("/broken", () => {
      throw new Error("broken");
    }),
  async check({ fetch }) {
    const answer = await fetch("/broken");
    assert.equal(answer.status, 500);
    assert.equal(answer.headers.get("x-out"), "outer");
  },
});

export const onError = defineCase({
  title: "onError sees throws and rejections and may answer",
  app: compose(
    [layer({ name: "rescue", onError: (error) => text(`rescued: ${(error as Error).message}`) })],
    (request) => {
      if (request.path === "/sync") throw new Error("sync");
      return Promise.reject(new Error("async"));
    },
  ),
  async check({ fetch }) {
    assert.equal((await fetch("/sync")).text(), "rescued: sync");
    assert.equal((await fetch("/async")).text(), "rescued: async");
  },
});

export const cascading = defineCase({
  title: "cascade gives the first answer that is not a 404",
  app: cascade([
    (request) => text("first", { status: request.path === "/1" ? 200 : 404 }),
    (request) => text("second", { status: request.path === "/2" ? 200 : 404 }),
  ]),
  async check({ fetch }) {
    assert.equal((await fetch("/1")).text(), "first");
    assert.equal((await fetch("/2")).text(), "second");
    assert.equal((await fetch("/3")).status, 404);
  },
});

export const dispatched = defineCase({
  title: "dispatch runs a request through the whole gateway again",
  app: gateway()
    .mount(
      "/from",
      http((request) => request.exchange.dispatch({ ...request, mount: "", path: "/to", query: "" })),
    )
    .mount("/to", (request) => text(`at ${request.mount}`)),
  async check({ fetch }) {
    assert.equal((await fetch("/from")).text(), "at /to");
  },
});

export const endlessDispatch = defineCase({
  title: "R-C8: dispatch ends after ten turns",
  app: http((request) => request.exchange.dispatch(request)),
  async check({ fetch }) {
    assert.equal((await fetch("/")).status, 502);
  },
});

export const redirecting = defineCase({
  title: "a redirect carries its target as text, encoded",
  app: () => redirect("/\uc548\ub155?q=1"),
  async check({ fetch }) {
    const answer = await fetch("/");
    assert.equal(answer.status, 302);
    assert.equal(answer.headers.get("location"), "/%EC%95%88%EB%85%95?q=1");
  },
});

export const textIsUtf8 = defineCase({
  title: "text answers are UTF-8 and say so",
  app: () => html("<p>\uc548\ub155</p>"),
  async check({ fetch }) {
    const answer = await fetch("/");
    assert.equal(answer.headers.get("content-type"), "text/html; charset=utf-8");
    assert.equal(answer.text(), "<p>\uc548\ub155</p>");
  },
});

export const fetchFace = defineCase({
  title: "a fetch-style app reads the request and answers with streams and cookies",
  app: fromFetch(async (request) => {
    const headers = new Headers([
      ["Set-Cookie", "a=1"],
      ["Set-Cookie", "b=2"],
      ["X-Method", request.method],
    ]);
    return new Response(`${new URL(request.url).pathname} ${await request.text()}`, { status: 201, headers });
  }),
  async check({ fetch }) {
    const answer = await fetch("/p%20q", { method: "POST", body: Buffer.from("body") });
    assert.equal(answer.status, 201);
    assert.equal(answer.text(), "/p%20q body");
    assert.deepEqual(answer.headers.getAll("set-cookie"), ["a=1", "b=2"]);
  },
});

export const wsgiFace = defineCase({
  title: "a WSGI-shaped app reads its input and answers",
  app: fromWsgi((environ, startResponse) => {
    const body = environ["wsgi.input"].read();
    startResponse("201 Created", [["Content-Type", "text/plain"]]);
    return [Buffer.from(`${environ.REQUEST_METHOD} `), body];
  }),
  async check({ fetch }) {
    const answer = await fetch("/", { method: "POST", body: Buffer.from("body") });
    assert.equal(answer.status, 201);
    assert.equal(answer.text(), "POST body");
  },
});

export const wsgiTwice = defineCase({
  title: "a handler as WSGI app as handler is the same handler",
  app: fromWsgi(toWsgi((request) => text(`${request.method} ${request.path}?${request.query}`, { status: 202 }))),
  async check({ fetch }) {
    const answer = await fetch("/x?y");
    assert.equal(answer.status, 202);
    assert.equal(answer.text(), "GET /x?y");
  },
});

export const asgiFace = defineCase({
  title: "an ASGI-shaped app reads its events and answers in several",
  app: fromAsgi(async (scope, receive, send) => {
    if (scope.type !== "http") throw new Error("http only");
    let body = "";
    for (let more = true; more; ) {
      const event = await receive();
      if (event.type !== "http.request") return;
      body += Buffer.from(event.body ?? new Uint8Array(0)).toString();
      more = event.more_body ?? false;
    }
    await send({
      type: "http.response.start",
      status: 201,
      headers: [[Buffer.from("x-path"), Buffer.from(scope.path)]],
    });
    await send({ type: "http.response.body", body: Buffer.from(`${scope.method} `), more_body: true });
    await send({ type: "http.response.body", body: Buffer.from(body) });
  }),
  async check({ fetch }) {
    const answer = await fetch("/p", { method: "POST", body: Buffer.from("body") });
    assert.equal(answer.status, 201);
    assert.equal(answer.headers.get("x-path"), "/p");
    assert.equal(answer.text(), "POST body");
  },
});
