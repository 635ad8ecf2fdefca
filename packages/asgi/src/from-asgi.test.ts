import { encodeText, type HttpResponse, isPromise } from "@gw/core";
import { bodySource, request, run, testRequest } from "@gw/core/testing";
import { describe, expect, test, vi } from "vitest";
import type { AsgiApp, Receive, Send } from "./app.ts";
import type { ReceiveEvent, SendEvent } from "./events.ts";
import { fromAsgi } from "./from-asgi.ts";
import type { HeaderPair, Scope } from "./scopes.ts";

const bytes = encodeText;
const plain: HeaderPair[] = [[bytes("content-type"), bytes("text/plain")]];

// The five lines of the ASGI tutorials, in TypeScript: they look at no scope type.
async function application(_scope: Scope, _receive: Receive, send: Send): Promise<void> {
  await send({ type: "http.response.start", status: 200, headers: [[bytes("content-type"), bytes("text/plain")]] });
  await send({ type: "http.response.body", body: bytes("Hello, world!") });
}

/** An app for http alone, as most tests want it. */
function httpApp(app: (receive: Receive, send: Send, scope: Scope) => Promise<void>): AsgiApp {
  return async (scope, receive, send) => {
    if (scope.type !== "http") throw new TypeError(`no ${scope.type} here`);
    await app(receive, send, scope);
  };
}

const start = (headers: readonly HeaderPair[] = plain, status = 200): SendEvent => ({
  type: "http.response.start",
  status,
  headers,
});
const part = (body: string, more_body = true): SendEvent => ({
  type: "http.response.body",
  body: bytes(body),
  more_body,
});

/** What a promise rejects with; `null` if it does not. */
async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => null,
    (error: unknown) => error,
  );
}

describe("fromAsgi, http", () => {
  test("runs the five-line application as it stands, with lifespan auto", async () => {
    const answer = await request(fromAsgi(application), "/");
    expect([answer.status, answer.headers.get("content-type"), answer.text()]).toEqual([
      200,
      "text/plain",
      "Hello, world!",
    ]);
  });

  test("a body in one event goes out in one piece", async () => {
    const answer = await fromAsgi(application).handle(testRequest("/"));
    expect(answer).toMatchObject({ kind: "response", status: 200, body: bytes("Hello, world!") });
  });

  test("the answer is there before the app returns: what follows is background work", async () => {
    const work = bodySource();
    let isDone = false;
    const app = fromAsgi(
      httpApp(async (_receive, send) => {
        await send(start());
        await send(part("sent", false));
        await work.push(bytes("x"));
        isDone = true;
      }),
    );
    const answer = (await app.handle(testRequest("/"))) as HttpResponse;
    expect([answer.body, isDone]).toEqual([bytes("sent"), false]);
    const reader = work.body[Symbol.asyncIterator]();
    await reader.next();
    reader.next();
    await vi.waitFor(() => expect(isDone).toBe(true));
  });

  test("an app that does not await its sends is answered at once, without a promise", () => {
    const app = fromAsgi(
      httpApp(async (_receive, send) => {
        send(start());
        send(part("sync", false));
      }),
    );
    const answer = app.handle(testRequest("/"));
    expect(isPromise(answer)).toBe(false);
    expect(answer).toMatchObject({ body: bytes("sync") });
  });

  test("a head that the app repeats is the same list each time, also from arrays made anew", async () => {
    const app = fromAsgi(application);
    const [first, second] = [await app.handle(testRequest("/")), await app.handle(testRequest("/"))];
    expect(first.headers).toBe(second.headers);
  });

  test("headers that differ by one byte are told apart", async () => {
    let value = "a";
    const app = fromAsgi(
      httpApp(async (_receive, send) => {
        await send(start([[bytes("x-value"), bytes(value)]]));
        await send(part("", false));
      }),
    );
    const seen: (string | null)[] = [];
    for (const one of ["a", "b", "ab", "a"]) {
      value = one;
      seen.push((await request(app)).headers.get("x-value"));
    }
    expect(seen).toEqual(["a", "b", "ab", "a"]);
  });

  test("streams: the app's next part is made when the client has taken the one before (R-W7)", async () => {
    const made: string[] = [];
    const taken: (() => void)[] = [];
    const app = fromAsgi(
      httpApp(async (_receive, send) => {
        await send(start());
        for (const one of ["a", "b", "c"]) {
          made.push(one);
          await send(part(one));
        }
        await send(part("", false));
      }),
    );
    const answer = request(app, "/", { onChunk: () => new Promise((resolve) => void taken.push(resolve)) });
    for (const count of [1, 2, 3]) {
      await vi.waitFor(() => expect(taken.length).toBe(count));
      expect(made.length).toBe(count);
      taken.at(-1)?.();
    }
    expect((await answer).text()).toBe("abc");
  });

  test("an empty first part sends the head", async () => {
    const later = bodySource();
    const app = fromAsgi(
      httpApp(async (_receive, send) => {
        await send(start());
        await send(part(""));
        for await (const _ of later.body) await send(part("late"));
        await send(part("", false));
      }),
    );
    const answer = (await app.handle(testRequest("/"))) as HttpResponse;
    expect(answer.status).toBe(200);
    later.end();
    for await (const _ of answer.body as AsyncIterable<Uint8Array>);
  });

  test("HEAD: the head goes out, the body does not, and the app runs to its end", async () => {
    let isDone = false;
    const app = httpApp(async (_receive, send) => {
      await send(start([...plain, [bytes("content-length"), bytes("6")]]));
      await send(part("abc"));
      await send(part("def", false));
      isDone = true;
    });
    const answer = await request(fromAsgi(app), "/", { method: "HEAD" });
    expect([answer.status, answer.headers.get("content-length"), answer.bytes.length]).toEqual([200, "6", 0]);
    await vi.waitFor(() => expect(isDone).toBe(true));
  });

  test.each([204, 304])("%i has no body, whatever the app sends", async (status) => {
    const app = httpApp(async (_receive, send) => {
      await send(start([], status));
      await send(part("text", false));
    });
    const answer = await request(fromAsgi(app));
    expect([answer.status, answer.bytes.length]).toEqual([status, 0]);
  });

  test("R-W4: keep-alive is what libraries for events ask for, and ignored; closing is refused", async () => {
    const answerWith = (value: string) =>
      request(
        fromAsgi(
          httpApp(async (_receive, send) => {
            await send(
              start([...plain, [bytes("connection"), bytes(value)], [bytes("keep-alive"), bytes("timeout=5")]]),
            );
            await send({ type: "http.response.body", body: bytes("x") });
          }),
        ),
      );
    const kept = await answerWith("Keep-Alive");
    expect([kept.status, kept.headers.has("connection"), kept.headers.has("keep-alive")]).toEqual([200, false, false]);
    expect((await answerWith("close")).status).toBe(500);
  });

  test("Transfer-Encoding is ignored, as the document says", async () => {
    const app = httpApp(async (_receive, send) => {
      await send(start([...plain, [bytes("transfer-encoding"), bytes("chunked")]]));
      await send(part("x", false));
    });
    expect((await request(fromAsgi(app))).headers.toJSON()).toEqual([["content-type", "text/plain"]]);
  });

  test("repeated headers and their order are kept, in both directions (R-W1)", async () => {
    let seen: string[] = [];
    const app = httpApp(async (_receive, send, scope) => {
      seen = [...(scope as { headers: Iterable<HeaderPair> }).headers].map(
        ([name, value]) => `${text(name)}=${text(value)}`,
      );
      await send(start([pair("set-cookie", "a=1"), pair("x", "y"), pair("set-cookie", "b=2")]));
      await send(part("", false));
    });
    const headers = [
      ["X-A", "1"],
      ["Cookie", "c=1"],
      ["x-a", "2"],
      ["Cookie", "d=2"],
    ] as const;
    const answer = await request(fromAsgi(app), "/", { headers });
    expect(seen).toEqual(["host=localhost", "x-a=1", "cookie=c=1", "x-a=2", "cookie=d=2"]);
    expect(answer.headers.toJSON()).toEqual([
      ["set-cookie", "a=1"],
      ["x", "y"],
      ["set-cookie", "b=2"],
    ]);
  });
});

describe("fromAsgi, receive", () => {
  /** Collects what receive gives until the body has ended. */
  async function readBody(receive: Receive): Promise<{ body: string; events: number }> {
    let body = "";
    for (let events = 1; ; events++) {
      const event = await receive();
      if (event.type !== "http.request") throw new TypeError(event.type);
      body += text(event.body);
      if (!event.more_body) return { body, events };
    }
  }

  const echo = httpApp(async (receive, send) => {
    const { body, events } = await readBody(receive);
    await send(start());
    await send(part(`${events}: ${body}`, false));
  });

  test("gives one empty event for a request without a body", async () => {
    expect((await request(fromAsgi(echo))).text()).toBe("1: ");
  });

  test("a body of known length ends with its last byte", async () => {
    expect((await request(fromAsgi(echo), "/", { method: "POST", body: "Hello" })).text()).toBe("1: Hello");
  });

  test("a body of unknown length ends with an empty event", async () => {
    const body = [bytes("one "), bytes("two")];
    expect((await request(fromAsgi(echo), "/", { method: "POST", body })).text()).toBe("3: one two");
  });

  test("reads nothing before it is called (100 Continue)", async () => {
    const source = bodySource();
    await request(fromAsgi(application), "/", { method: "POST", body: source.body });
    expect(source.asked).toBe(0);
  });

  test("reads no part before the app asks for it", async () => {
    const source = bodySource();
    const app = httpApp(async (receive, send) => {
      await receive();
      await send(start());
      await send(part("enough", false));
    });
    const answer = request(fromAsgi(app), "/", { method: "POST", body: source.body });
    source.push(bytes("first")).catch(() => {});
    expect((await answer).text()).toBe("enough");
    expect(source.asked).toBe(1);
    await source.returned;
  });

  test("R-H7: a body over the limit throws out of receive, and becomes a 413", async () => {
    expect((await request(fromAsgi(echo), "/", { method: "POST", body: "too long", maxBodyBytes: 4 })).status).toBe(
      413,
    );
  });

  test("gives the disconnect once the response has been sent, again and again", async () => {
    const types: string[] = [];
    const app = httpApp(async (receive, send) => {
      await send(start());
      await send(part("", false));
      for (let turn = 0; turn < 3; turn++) types.push((await receive()).type);
    });
    await request(fromAsgi(app));
    await vi.waitFor(() => expect(types).toEqual(["http.disconnect", "http.disconnect", "http.disconnect"]));
  });

  test("R-W6: tells a waiting app that the client has gone", async () => {
    const client = new AbortController();
    const seen: string[] = [];
    const app = httpApp(async (receive, send) => {
      seen.push((await receive()).type);
      const next = receive();
      client.abort();
      seen.push((await next).type);
      await send(start());
    });
    await request(fromAsgi(app), "/", { signal: client.signal });
    expect(seen).toEqual(["http.request", "http.disconnect"]);
  });

  test("R-W6: a client that leaves inside its body is a disconnect, not an error", async () => {
    const source = bodySource();
    const seen: string[] = [];
    const app = httpApp(async (receive, send) => {
      seen.push((await receive()).type, (await receive()).type);
      await send(start());
      await send(part("", false));
    });
    const answer = request(fromAsgi(app), "/", { method: "POST", body: source.body });
    await source.whenAsked();
    source.push(bytes("first")).catch(() => {});
    await source.whenAsked();
    source.fail(new Error("connection reset"));
    await answer;
    expect(seen).toEqual(["http.request", "http.disconnect"]);
  });

  test("two receives at a time get the events one after the other", async () => {
    let events: ReceiveEvent[] = [];
    const app = httpApp(async (receive, send) => {
      events = await Promise.all([receive(), receive(), receive()]);
      await send(start());
      await send(part("", false));
    });
    await request(fromAsgi(app), "/", { method: "POST", body: [bytes("a"), bytes("b")] });
    expect(events.map((event) => (event.type === "http.request" ? text(event.body) : event.type))).toEqual([
      "a",
      "b",
      "",
    ]);
  });

  test("a loop of receives after the end starves nobody", async () => {
    let turns = 0;
    let isStopped = false;
    const app = httpApp(async (receive, send) => {
      await send(start());
      await send(part("", false));
      while (!isStopped) {
        await receive();
        turns++;
      }
    });
    const running = await run(fromAsgi(app));
    await running.request();
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    isStopped = true;
    await running.stop();
    expect(turns).toBeGreaterThan(0);
  });
});

describe("fromAsgi, order and errors", () => {
  test.each<[string, (send: Send) => Promise<void>, string]>([
    ["a body before the start", (send) => send(part("x")), "GW_ASGI_ORDER"],
    ["a second start", (send) => sendAll(send, [start(), start()]), "GW_ASGI_ORDER"],
    ["trailers that were not announced", (send) => sendAll(send, [start(), trailers]), "GW_ASGI_ORDER"],
    ["an unknown type", (send) => send({ type: "http.nonsense" } as never), "GW_ASGI_EVENT"],
    ["no event at all", (send) => send(null as never), "GW_ASGI_EVENT"],
    ["an event of another protocol", (send) => send({ type: "websocket.accept" }), "GW_ASGI_EVENT"],
    [
      "text as body",
      (send) => sendAll(send, [start(), { type: "http.response.body", body: "x" as never }]),
      "GW_ASGI_EVENT",
    ],
    ["text as status", (send) => send({ type: "http.response.start", status: "200" as never }), "GW_ASGI_EVENT"],
    ["a status out of range", (send) => send(start(plain, 99)), "GW_RESPONSE_HEAD"],
    ["text as header", (send) => send(start([["a", "b"] as never])), "GW_ASGI_EVENT"],
    ["a record as headers", (send) => send(start({ a: "b" } as never)), "GW_ASGI_EVENT"],
    ["a header with a line break (R-H5)", (send) => send(start([pair("x", "a\r\nb: c")])), "GW_RESPONSE_HEAD"],
    ["a hop-by-hop header (R-W4)", (send) => send(start([pair("connection", "close")])), "GW_RESPONSE_HEAD"],
    ["server push", (send) => send({ type: "http.response.push", path: "/x", headers: [] } as never), "GW_ASGI_EVENT"],
    ["a debug event that was not offered", (send) => send({ type: "http.response.debug", info: {} }), "GW_ASGI_EVENT"],
  ])("%s throws out of send, and the answer is 500", async (_, act, code) => {
    let thrown: unknown = null;
    const app = httpApp(async (_receive, send) => {
      thrown = await failure(act(send));
      throw thrown;
    });
    expect((await request(fromAsgi(app))).status).toBe(500);
    expect(thrown).toMatchObject({ code });
  });

  test("an app may go on after an error of its own making", async () => {
    const app = httpApp(async (_receive, send) => {
      await failure(send(part("too early")));
      await send(start());
      await send(part("fine", false));
    });
    expect((await request(fromAsgi(app))).text()).toBe("fine");
  });

  test("R-W5: an error before the head gives 500 without detail", async () => {
    const app = httpApp(async (_receive, send) => {
      await send(start());
      throw new Error("the password is swordfish");
    });
    const answer = await request(fromAsgi(app));
    expect([answer.status, answer.text()]).toEqual([500, "500 Internal Server Error\n"]);
  });

  test("R-W5: an error after the head cuts the answer visibly", async () => {
    const oops = new Error("oops");
    const app = httpApp(async (_receive, send) => {
      await send(start());
      await send(part("first"));
      throw oops;
    });
    const answer = await request(fromAsgi(app));
    expect([answer.status, answer.text(), answer.outcome.result]).toEqual([200, "first", "cut"]);
    expect(answer.outcome.error).toBe(oops);
  });

  test("R-W5: a synchronous throw is an error like any other", async () => {
    const app = (() => {
      throw new Error("oops");
    }) as AsgiApp;
    expect((await request(fromAsgi(app))).status).toBe(500);
  });

  test("returning without a response is a 500, returning inside the body cuts it", async () => {
    expect((await request(fromAsgi(httpApp(async () => {})))).outcome.error).toMatchObject({
      code: "GW_ASGI_NO_RESPONSE",
    });
    const half = httpApp(async (_receive, send) => {
      await send(start());
      await send(part("half"));
    });
    const answer = await request(fromAsgi(half));
    expect([answer.text(), answer.outcome.result]).toEqual(["half", "cut"]);
    expect(answer.outcome.error).toMatchObject({ code: "GW_ASGI_NO_END" });
  });

  test("R-W6: what is sent after the end never reaches the wire, and is no error", async () => {
    let isDone = false;
    const app = httpApp(async (_receive, send) => {
      await send(start());
      await send(part("all", false));
      await send(part("more"));
      await send(start());
      await send({ type: "http.nonsense" } as never);
      isDone = true;
    });
    const answer = await request(fromAsgi(app));
    expect(answer.text()).toBe("all");
    await vi.waitFor(() => expect(isDone).toBe(true));
  });

  test.each<[string, string, number]>([
    ["an answer to HEAD", "HEAD", 200],
    ["a 204", "GET", 204],
  ])("R-W6: a body without an end, of %s, is not taken for ever", async (_, method, status) => {
    let thrown: unknown = null;
    const app = httpApp(async (_receive, send) => {
      await send(start(plain, status));
      while (thrown === null) thrown = await failure(send(part("x")));
    });
    const running = await run(fromAsgi(app, { graceMs: 20 }));
    const answer = await running.request("/", { method });
    expect([answer.status, answer.outcome.result]).toEqual([status, "sent"]);
    try {
      await vi.waitFor(() => expect(thrown).toMatchObject({ code: "GW_ASGI_CANCELLED" }));
    } finally {
      thrown ??= "enough";
      await running.stop();
    }
  });

  test("work after the last part of a body that HEAD does not want is background work", async () => {
    let late: unknown = "running";
    const app = httpApp(async (_receive, send) => {
      await send(start());
      await send(part("x"));
      await send(part("y", false));
      await vi.waitFor(() => expect(timers.length).toBe(0));
      late = await failure(send(part("z")));
    });
    const timers = [setTimeout(() => void timers.pop(), 120)];
    const running = await run(fromAsgi(app, { graceMs: 20 }));
    await running.request("/", { method: "HEAD" });
    await vi.waitFor(() => expect(late).toBe(null));
    await running.stop();
  });

  test("R-W6: send throws when the client has gone; that is no error of the app", async () => {
    const client = new AbortController();
    let thrown: unknown = null;
    const app = httpApp(async (_receive, send) => {
      await send(start());
      for (;;) {
        try {
          await send(part("x"));
        } catch (error) {
          thrown = error;
          throw error;
        }
      }
    });
    const answer = await request(fromAsgi(app), "/", { signal: client.signal, onChunk: () => client.abort() });
    expect(answer.outcome).toMatchObject({ result: "gone", error: expect.anything() });
    await vi.waitFor(() => expect(thrown).toMatchObject({ code: "GW_ASGI_DISCONNECTED" }));
  });

  test("R-W5: sends that nobody awaits cannot end the process with an unhandled rejection", async () => {
    const unhandled: unknown[] = [];
    const listen = (error: unknown): void => void unhandled.push(error);
    process.on("unhandledRejection", listen);
    try {
      const client = new AbortController();
      const app = httpApp(async (receive, send) => {
        send(part("too early"));
        send(start());
        send(part("a"));
        send(part("b"));
        receive();
        receive();
        throw new Error("oops");
      });
      await request(fromAsgi(app), "/", { signal: client.signal, onChunk: () => client.abort() });
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.off("unhandledRejection", listen);
    }
    expect(unhandled).toEqual([]);
  });

  test("a layer that drops the answer lets the app finish as if it was sent", async () => {
    let isDone = false;
    const app = fromAsgi(
      httpApp(async (_receive, send) => {
        await send(start());
        await send(part("a"));
        await send(part("b", false));
        isDone = true;
      }),
    );
    const answer = (await app.handle(testRequest("/"))) as HttpResponse;
    await answer.close?.();
    await vi.waitFor(() => expect(isDone).toBe(true));
  });
});

describe("fromAsgi, Content-Length (R-W4)", () => {
  const announced = (length: number): SendEvent => start([...plain, pair("content-length", String(length))]);

  test("a body in one piece that is longer or shorter is a 500", async () => {
    for (const length of [1, 99]) {
      const app = httpApp(async (_receive, send) => {
        await send(announced(length));
        await send(part("five!", false));
      });
      expect((await request(fromAsgi(app))).status).toBe(500);
    }
  });

  test("not one byte more is sent, and the answer is cut", async () => {
    const app = httpApp(async (_receive, send) => {
      await send(announced(3));
      await send(part("ab"));
      await send(part("cd"));
    });
    const answer = await request(fromAsgi(app));
    expect([answer.text(), answer.outcome.result]).toEqual(["ab", "cut"]);
    expect(answer.outcome.error).toMatchObject({ code: "GW_LENGTH_MISMATCH" });
  });

  test("an end that comes too early cuts the answer", async () => {
    const app = httpApp(async (_receive, send) => {
      await send(announced(9));
      await send(part("ab"));
      await send(part("", false));
    });
    expect((await request(fromAsgi(app))).outcome).toMatchObject({
      result: "cut",
      error: { code: "GW_LENGTH_MISMATCH" },
    });
  });

  test("a body of exactly that length is right", async () => {
    const app = httpApp(async (_receive, send) => {
      await send(announced(4));
      await send(part("ab"));
      await send(part("cd", false));
    });
    expect((await request(fromAsgi(app))).text()).toBe("abcd");
  });
});

test("two requests at a time do not mix", async () => {
  const running = await run(
    fromAsgi(
      httpApp(async (_receive, send, scope) => {
        const { path } = scope as { path: string };
        await send(start());
        for (const char of path) await send(part(char));
        await send(part("", false));
      }),
    ),
  );
  const paths = ["/one", "/two", "/three"];
  const answers = await Promise.all(paths.map((path) => running.request(path)));
  expect(answers.map((answer) => answer.text())).toEqual(paths);
  await running.stop();
});

/** Sends events in order. */
async function sendAll(send: Send, events: readonly SendEvent[]): Promise<void> {
  for (const event of events) await send(event);
}

const trailers: SendEvent = { type: "http.response.trailers", headers: [] };

function pair(name: string, value: string): HeaderPair {
  return [bytes(name), bytes(value)];
}

function text(value: Uint8Array): string {
  return new TextDecoder().decode(value);
}

test("says what it is", () => {
  expect(fromAsgi(application).describe?.()).toEqual({
    kind: "asgi",
    name: "application",
    facts: { lifespan: "auto" },
  });
});
