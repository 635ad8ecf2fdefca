import { createHook } from "node:async_hooks";
import {
  compose,
  encodeText,
  GatewayError,
  type Handler,
  HeaderList,
  type HttpResponse,
  layer,
  type Outcome,
  readText,
  redirect,
  text,
  withPrincipal,
} from "@gw/core";
import { request, testRequest } from "@gw/core/testing";
import { describe, expect, test } from "vitest";
import { createEnviron } from "./environ.ts";
import { WsgiErrors } from "./errors-stream.ts";
import { fromWsgi } from "./from-wsgi.ts";
import { validator } from "./lint/validator.ts";
import { toWsgi } from "./to-wsgi.ts";
import type { Environ, WsgiApp, WsgiIterable } from "./types.ts";

/** A layer as an auth layer with a synchronous store is one. */
const auth = layer({
  name: "auth",
  onRequest: (request) => withPrincipal(request, { user: "alice", type: "Basic", groups: [], claims: {} }),
});
const cookie = layer({
  name: "cookie",
  onResponse: (answer) => ({ ...answer, headers: answer.headers.append("Set-Cookie", "s=1") }),
});

const greeting: WsgiApp = (environ, startResponse) => {
  startResponse("200 OK", [["Content-Type", "text/plain"]]);
  return [encodeText(`Hello, ${environ.REMOTE_USER}!`)];
};

function environ(target = "/", init: Parameters<typeof testRequest>[1] = {}): Environ {
  const asked = testRequest(target, init);
  return createEnviron(
    asked,
    { multithread: false, multiprocess: false, runOnce: false },
    new WsgiErrors(asked.exchange),
  );
}

/** Calls a WSGI app the way a plain server does. */
function call(
  app: WsgiApp,
  given: Environ = environ(),
): { status: string; headers: unknown; body: string; result: WsgiIterable } {
  let head: { status: string; headers: unknown } = { status: "", headers: [] };
  const result = app(given, (status, headers) => {
    head = { status, headers };
    return () => {};
  });
  const body = [...result].map((chunk) => new TextDecoder().decode(chunk)).join("");
  result.close?.();
  return { ...head, body, result };
}

describe("toWsgi", () => {
  test("makes a WSGI application of a synchronous handler", () => {
    const { status, headers, body } = call(
      toWsgi((asked) => text(`${asked.method} ${asked.path}`)),
      environ("/a?b"),
    );
    expect([status, body]).toEqual(["200 OK", "GET /a"]);
    expect(headers).toEqual([["Content-Type", "text/plain; charset=utf-8"]]);
  });

  test("toWsgi(compose([layers], fromWsgi(app))) makes no promise at all", () => {
    const application = toWsgi(compose([cookie, auth], fromWsgi(greeting)));
    call(application);
    let promises = 0;
    const hook = createHook({
      init(_id, type) {
        if (type === "PROMISE") promises++;
      },
    }).enable();
    let answered: ReturnType<typeof call>;
    try {
      answered = call(application);
      // The counter works: this one it sees.
      new Promise(() => {});
    } finally {
      hook.disable();
    }
    expect([answered.status, answered.body]).toEqual(["200 OK", "Hello, alice!"]);
    expect(answered.headers).toContainEqual(["Set-Cookie", "s=1"]);
    expect(promises).toBe(1);
  });

  test("names the layer that made the pipeline asynchronous", () => {
    const slow = layer({ name: "slow session", onRequest: async (asked) => asked });
    const application = toWsgi(compose([cookie, slow], fromWsgi(greeting)));
    expect(() => call(application)).toThrow(/slow session/);
    expect(() => call(application)).toThrow(expect.objectContaining({ code: "GW_WSGI_ASYNC", status: 500 }));
  });

  test("says so when the app itself is asynchronous, and lets its answer go", async () => {
    let closed = 0;
    const application = toWsgi(async () => ({ ...text("late"), close: () => void closed++ }));
    expect(() => call(application)).toThrow(/the app answered with a promise/);
    await Promise.resolve();
    await Promise.resolve();
    expect(closed).toBe(1);
  });

  test("refuses an answer whose body is asynchronous, and closes it", () => {
    let closed = 0;
    const application = toWsgi(() => ({
      ...text(""),
      async *[Symbol.asyncIterator]() {},
      body: (async function* () {})(),
      close: () => void closed++,
    }));
    expect(() => call(application)).toThrow(expect.objectContaining({ code: "GW_WSGI_ASYNC" }));
    expect(closed).toBe(1);
  });

  test("a GatewayError becomes the response it stands for", () => {
    const application = toWsgi(() => {
      throw new GatewayError("GW_TEST", 404, "no such page");
    });
    expect(call(application)).toMatchObject({ status: "404 Not Found", body: "404 Not Found\nno such page\n" });
  });

  test("reads the body through wsgi.input, synchronously", () => {
    const handler: Handler = (asked) => text(readText(asked) as string);
    const asked = testRequest("/", { method: "POST", headers: { "Content-Type": "text/plain" } });
    const given = {
      ...environ(),
      REQUEST_METHOD: "POST",
      CONTENT_LENGTH: "5",
      "wsgi.input": { ...environ()["wsgi.input"], read: reader("Hello and more") },
    } as Environ;
    expect(asked.method).toBe("POST");
    expect(call(toWsgi(handler), given).body).toBe("Hello");
  });

  test("without CONTENT_LENGTH, a body that is not terminated is empty (PEP 3333)", () => {
    const given = {
      ...environ(),
      "wsgi.input_terminated": false,
      "wsgi.input": { read: reader("rest of the connection") },
    };
    const handler: Handler = (asked) => text(`${asked.body.length}`);
    expect(call(toWsgi(handler), given as unknown as Environ).body).toBe("0");
  });

  test("takes mount, path, query, addresses and user from the environ", () => {
    const handler: Handler = ({ mount, path, query, client, server, principal, scheme }) =>
      text(JSON.stringify({ mount, path, query, client, server, user: principal?.user, scheme }));
    const given = environ("/app/x?y=1", {
      mount: "/app",
      scheme: "https",
      principal: { user: "alice", type: "form", groups: ["a"], claims: {} },
      client: { host: "192.0.2.1", port: 99 },
      server: { host: "example.com", port: 8443 },
    });
    expect(JSON.parse(call(toWsgi(handler), given).body)).toEqual({
      mount: "/app",
      path: "/x",
      query: "y=1",
      client: { host: "192.0.2.1", port: 99 },
      server: { host: "example.com", port: 8443 },
      user: "alice",
      scheme: "https",
    });
  });

  test("the exchange ends when the server closes the result, once", () => {
    const outcomes: Outcome[] = [];
    let closed = 0;
    const application = toWsgi((asked) => {
      asked.exchange.onEnd((outcome) => void outcomes.push(outcome));
      return { ...text("Hello"), close: () => void closed++ };
    });
    const { result } = call(application);
    result.close?.();
    expect(outcomes).toEqual([{ status: 200, bytesSent: 5, result: "sent", error: null }]);
    expect(closed).toBe(1);
  });

  test("a result that is closed before its end counts as gone, one that throws as cut", () => {
    const outcomes: Outcome[] = [];
    const oops = new Error("oops");
    const application = toWsgi((asked) => {
      asked.exchange.onEnd((outcome) => void outcomes.push(outcome));
      const chunks = function* () {
        yield encodeText("a");
        throw oops;
      };
      return { kind: "response", status: 200, headers: HeaderList.empty, body: chunks() };
    });
    const first = application(environ(), () => () => {});
    for (const _ of first) break;
    first.close?.();
    const second = application(environ(), () => () => {});
    expect(() => [...second]).toThrow(oops);
    second.close?.();
    expect(outcomes.map(({ result, error }) => [result, error])).toEqual([
      ["gone", null],
      ["cut", oops],
    ]);
  });

  test("closes the answer when start_response refuses it", () => {
    let closed = 0;
    const application = toWsgi(() => ({ ...text("x"), close: () => void closed++ }));
    const refusing = () => {
      throw new Error("no");
    };
    expect(() => application(environ(), refusing)).toThrow("no");
    expect(closed).toBe(1);
  });

  test("carries early hints to the server's callable", () => {
    const hints: unknown[] = [];
    const application = toWsgi((asked) => {
      asked.exchange.inform?.(HeaderList.from({ Link: "</a.css>" }));
      return text("x");
    });
    call(application, { ...environ(), "wsgi.early_hints": (headers) => void hints.push(headers) });
    expect(hints).toEqual([[["Link", "</a.css>"]]]);
  });
});

describe("fromWsgi and toWsgi against each other", () => {
  const streamed: Handler = () => ({
    kind: "response",
    status: 200,
    headers: HeaderList.from({ "Content-Type": "text/plain" }),
    body: ["one ", "two"].map(encodeText),
  });
  const cases: readonly [string, Handler, Parameters<typeof request>[2]][] = [
    ["a text", () => text("Hello"), {}],
    ["a text to HEAD", () => text("Hello"), { method: "HEAD" }],
    ["a redirect without a body", () => redirect("/there"), {}],
    ["chunks", streamed, {}],
    ["a refusal", () => text("no", { status: 403, headers: { "X-Reason": "none" } }), {}],
    [
      "an echo",
      (asked) => text(readText(asked) as string),
      { method: "POST", body: "echo", headers: { "Content-Type": "text/plain" } },
    ],
    ["nothing", () => ({ kind: "response", status: 204, headers: HeaderList.empty, body: null }), {}],
  ];

  test.each(cases)("%s is the same through both faces, under the validator", async (_, handler, init) => {
    const through = fromWsgi(validator(toWsgi(handler)));
    const straight = fromSync(handler);
    const [ours, plain] = [await request(through, "/", init), await request(straight, "/", init)];
    expect([ours.status, ours.headers.toJSON(), ours.text()]).toEqual([
      plain.status,
      plain.headers.toJSON(),
      plain.text(),
    ]);
    expect(ours.outcome).toEqual(plain.outcome);
  });

  test("a text keeps its known length: it goes out in one piece", () => {
    const answer = fromWsgi(toWsgi(() => text("Hello"))).handle(testRequest("/")) as HttpResponse;
    expect(answer.body).toEqual(encodeText("Hello"));
  });

  test("start and stop go through both faces", async () => {
    const life: string[] = [];
    const app = { handle: () => text("x"), start: () => void life.push("start"), stop: () => void life.push("stop") };
    await request(fromWsgi(toWsgi(app)));
    expect(life).toEqual(["start", "stop"]);
  });
});

/** A handler whose body is buffered first, as fromWsgi does. */
function fromSync(handler: Handler): Handler {
  return async (asked) => {
    const { bufferBody } = await import("@gw/core");
    return handler(await bufferBody(asked));
  };
}

function reader(content: string): (size?: number) => Uint8Array {
  const bytes = encodeText(content);
  let at = 0;
  return (size = bytes.length) => {
    const chunk = bytes.subarray(at, at + size);
    at += chunk.length;
    return chunk;
  };
}
