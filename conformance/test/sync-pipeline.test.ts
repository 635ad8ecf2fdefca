// A synchronous app under synchronous layers stays synchronous: from a WSGI server's call to the last byte, no promise.
import { createHook } from "node:async_hooks";
import { compose, encodeText, layer } from "@gw/core";
import { request } from "@gw/core/testing";
import { basicAuth } from "@gw/middleware/basic-auth";
import { session, sessionOf } from "@gw/middleware/session";
import { memoryStore } from "@gw/middleware/session/memory";
import { type Environ, fromWsgi, toWsgi, type WsgiApp } from "@gw/wsgi";
import { expect, test } from "vitest";

const visits = layer({
  name: "visits",
  onRequest(asked) {
    const mine = sessionOf<{ visits: number }>(asked);
    mine.set("visits", (mine.get("visits") ?? 0) + 1);
    return asked;
  },
  onResponse: (answer, asked) => ({
    ...answer,
    headers: answer.headers.with("X-Visits", String(sessionOf<{ visits: number }>(asked).get("visits"))),
  }),
});

const greeting: WsgiApp = (environ, startResponse) => {
  startResponse("200 OK", [["Content-Type", "text/plain"]]);
  return [encodeText(`Hello, ${environ.REMOTE_USER}!`)];
};

/** An environ as a server of ours makes it. */
async function environ(headers: Readonly<Record<string, string>>): Promise<Environ> {
  let made: Environ | null = null;
  const keep: WsgiApp = (given, startResponse) => {
    made = given;
    startResponse("204 No Content", []);
    return [];
  };
  await request(fromWsgi(keep), "/", {
    headers: [["Authorization", `Basic ${btoa("ann:secret")}`], ...Object.entries(headers)],
  });
  return made as unknown as Environ;
}

interface Answered {
  readonly status: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** What a WSGI server does with an app, and the promises that were made meanwhile. */
function call(app: WsgiApp, given: Environ): Answered & { readonly promises: number } {
  let promises = 0;
  const hook = createHook({
    init(_id, type) {
      if (type === "PROMISE") promises++;
    },
  }).enable();
  try {
    let head: Omit<Answered, "body"> = { status: "", headers: new Map() };
    const result = app(given, (status, headers) => {
      head = { status, headers: new Map(headers.map(([name, value]) => [name.toLowerCase(), value])) };
      return () => {};
    });
    const body = Buffer.concat([...result]).toString();
    result.close?.();
    new Promise(() => {}); // the counter works: this one it sees
    return { ...head, body, promises };
  } finally {
    hook.disable();
  }
}

test("toWsgi(compose([session, basicAuth], fromWsgi(app))) with a synchronous store makes no promise", async () => {
  const layers = [
    session({ store: memoryStore() }),
    basicAuth({ verify: (user, password) => user === "ann" && password === "secret" }),
    visits,
  ];
  const application = toWsgi(compose(layers, fromWsgi(greeting)));
  const first = call(application, await environ({}));
  expect([first.status, first.body, first.headers.get("x-visits")]).toEqual(["200 OK", "Hello, ann!", "1"]);
  const cookie = (first.headers.get("set-cookie") ?? "").split(";", 1)[0] as string;
  const second = call(application, await environ({ Cookie: cookie }));
  expect([second.status, second.body, second.headers.get("x-visits")]).toEqual(["200 OK", "Hello, ann!", "2"]);
  expect([first.promises, second.promises]).toEqual([1, 1]);
  const refused = call(application, { ...(await environ({})), HTTP_AUTHORIZATION: "Basic bm9ib2R5Ong=" });
  expect([refused.status.slice(0, 3), refused.promises]).toEqual(["401", 1]);
});
