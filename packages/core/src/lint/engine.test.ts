import { describe, expect, test, vi } from "vitest";
import { encodeText } from "../bytes/byte-string.ts";
import type { App, Handler, Middleware } from "../model/app.ts";
import type { ResponseBody } from "../model/body.ts";
import { HeaderList } from "../model/headers.ts";
import { silentLogger } from "../model/log.ts";
import type { GatewayRequest, HttpRequest } from "../model/request.ts";
import type { Answer, HttpResponse, WebSocketAccept } from "../model/response.ts";
import { asyncOrigin } from "../pipeline/async-origin.ts";
import { compose } from "../pipeline/compose.ts";
import { createContext } from "../pipeline/context.ts";
import { OpenExchange } from "../pipeline/exchange.ts";
import { layer } from "../pipeline/layer.ts";
import { Runtime } from "../pipeline/runtime.ts";
import { testRequest, testSocket } from "../testing/builders.ts";
import { socketPair } from "../testing/peer.ts";
import { type LintOptions, lint, lintLayers } from "./engine.ts";
import { modelRules } from "./model-rules.ts";
import type { LintError } from "./rule.ts";
import { use } from "./use-rules.ts";

const ok: HttpResponse = { kind: "response", status: 200, headers: HeaderList.empty, body: null };
const sent = { status: 200, bytesSent: 0, result: "sent", error: null } as const;
const shown = new Set<string>();

/** An error for a broken rule, at the fault of this layer. */
function fault(rule: { id: string }, layer: string): unknown {
  shown.add(rule.id);
  return expect.objectContaining({ name: "LintError", rule: rule.id, layer });
}

function exchangeOf(app: App | Handler, log = silentLogger): OpenExchange {
  return new OpenExchange(new Runtime(app, { context: createContext({ log }) }));
}

/** The app under lint, asked once. */
function ask(handle: Handler, request: GatewayRequest = testRequest(), options: LintOptions = {}): Answer {
  return lint(handle, { inner: "the app", ...options }).handle(request) as Answer;
}

function bodyOf(body: ResponseBody, rest: Partial<HttpResponse> = {}, options: LintOptions = {}): ResponseBody {
  const answer = ask(() => ({ ...ok, ...rest, body }), testRequest(), options);
  return (answer as HttpResponse).body;
}

const chunks = [encodeText("ab"), encodeText("cd")];

test("lets a right app pass and gives its answer, sync or async", async () => {
  expect(ask(() => ok)).toEqual(ok);
  expect(await lint(async () => ok).handle(testRequest())).toEqual(ok);
});

test("sync stays sync, and async stays pinned on the layer that made it so", () => {
  expect(lint(() => ok).handle(testRequest())).not.toBeInstanceOf(Promise);
  const slow = layer({ name: "slow", onRequest: async (request) => request });
  const answer = lint(compose([slow], () => ok)).handle(testRequest());
  expect(asyncOrigin(answer as Promise<Answer>)).toBe("slow");
});

test("names the carrier for a wrong request and the app for a wrong answer", () => {
  const rule = { id: "request-scheme" };
  expect(() => ask(() => ok, { ...testRequest(), scheme: "ws" as "http" })).toThrow(
    fault(rule, "the carrier") as Error,
  );
  expect(() => ask(() => undefined as unknown as Answer)).toThrow(fault({ id: "answer-plain" }, "the app") as Error);
});

test("a wrong answer of an async app rejects", async () => {
  const answer = lint(async () => ({ ...ok, status: 99 })).handle(testRequest());
  await expect(answer).rejects.toEqual(fault({ id: "answer-status" }, "the app"));
});

test("names the app after what it says of itself, or after its function", () => {
  const wrong = { ...ok, status: 99 };
  const described = { handle: () => wrong, describe: () => ({ kind: "cgi", name: "./blog.cgi" }) };
  expect(() => lint(described).handle(testRequest())).toThrow(expect.objectContaining({ layer: "./blog.cgi" }));
  const guestbook: Handler = () => wrong;
  expect(() => lint(guestbook).handle(testRequest())).toThrow(expect.objectContaining({ layer: "guestbook" }));
});

test("what an app throws comes through as it is", () => {
  const error = new Error("own");
  const failing: Handler = () => {
    throw error;
  };
  expect(() => ask(failing)).toThrow(error);
});

test("collects what is broken instead of throwing, and goes on with what it was given", () => {
  const found: LintError[] = [];
  const report = (error: LintError): void => void found.push(error);
  const answer = ask(() => ({ ...ok, status: 99 }), { ...testRequest(), scheme: "ws" as "http" }, { report });
  expect(answer).toMatchObject({ status: 99 });
  expect(found.map(({ rule, layer }) => [rule, layer])).toEqual([
    ["request-scheme", "the carrier"],
    ["answer-status", "the app"],
  ]);
});

test("checks the rules of other packages too", () => {
  const options: LintOptions = {
    requestRules: [
      {
        id: "own-request",
        sentence: "There is no DELETE.",
        check: ({ method }) => (method === "DELETE" ? method : null),
      },
    ],
    answerRules: [
      {
        id: "own-answer",
        sentence: "All is well.",
        check: ({ answer }) => ("status" in answer && answer.status > 299 ? "ill" : null),
      },
    ],
  };
  expect(() => ask(() => ok, testRequest("/", { method: "DELETE" }), options)).toThrow("There is no DELETE.");
  expect(() => ask(() => ({ ...ok, status: 404 }), testRequest(), options)).toThrow("All is well.");
  expect(ask(() => ok, testRequest(), options)).toEqual(ok);
});

test("R-H18: at the edge, an identity header is the carrier's fault; further in, a layer may have written it", () => {
  const request = { ...testRequest(), headers: HeaderList.from({ "Remote-User": "root" }) };
  expect(ask(() => ok, request)).toEqual(ok);
  expect(() => ask(() => ok, request, { edge: true })).toThrow(
    fault({ id: "request-identity" }, "the carrier") as Error,
  );
});

test("a layer that writes to a request or an answer fails at that line", () => {
  const writes: Handler = (request) => {
    (request as { path: string }).path = "/other";
    return ok;
  };
  expect(() => ask(writes)).toThrow(TypeError);
  const answer = ask(() => ok);
  expect(() => {
    (answer as { status: number }).status = 500;
  }).toThrow(TypeError);
});

describe("bodies of answers", () => {
  const iterate = (body: ResponseBody): Iterator<Uint8Array> => (body as Iterable<Uint8Array>)[Symbol.iterator]();
  const iterateAsync = (body: ResponseBody): AsyncIterator<Uint8Array> =>
    (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  async function* generate(list: readonly unknown[] = chunks): AsyncGenerator<Uint8Array> {
    yield* list as readonly Uint8Array[];
  }

  test("pass chunk by chunk, sync as sync and async as async", async () => {
    expect([...(bodyOf(chunks) as Iterable<Uint8Array>)]).toEqual(chunks);
    const got: Uint8Array[] = [];
    for await (const chunk of bodyOf(generate()) as AsyncIterable<Uint8Array>) got.push(chunk);
    expect(got).toEqual(chunks);
    expect(bodyOf(chunks[0] as Uint8Array)).toBe(chunks[0]);
  });

  test("a chunk that is no Uint8Array is the app's fault", async () => {
    const bad = ["text"] as unknown as Uint8Array[];
    expect(() => iterate(bodyOf(bad)).next()).toThrow(fault(use.chunk, "the app") as Error);
    await expect(iterateAsync(bodyOf(generate(bad))).next()).rejects.toEqual(fault(use.chunk, "the app"));
  });

  test("a second reading is the reader's fault", () => {
    const body = bodyOf(chunks);
    iterate(body);
    expect(() => iterate(body)).toThrow(fault(use.once, "the carrier") as Error);
    const stream = bodyOf(generate());
    iterateAsync(stream);
    expect(() => iterateAsync(stream)).toThrow(fault(use.once, "the carrier") as Error);
  });

  test("asking on after the end is the reader's fault", async () => {
    const iterator = iterate(bodyOf([]));
    expect(iterator.next()).toEqual({ done: true, value: undefined });
    expect(() => iterator.next()).toThrow(fault(use.order, "the carrier") as Error);
    const stream = iterateAsync(bodyOf(generate([])));
    await stream.next();
    await expect(stream.next()).rejects.toEqual(fault(use.order, "the carrier"));
  });

  test("asking on after an early stop or an error is the reader's fault", async () => {
    const stopped = iterateAsync(bodyOf(generate()));
    await stopped.next();
    await stopped.return?.();
    await expect(stopped.next()).rejects.toEqual(fault(use.order, "the carrier"));
    const failing = iterateAsync(
      bodyOf({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error("own")) }) }),
    );
    await expect(failing.next()).rejects.toThrow("own");
    await expect(failing.next()).rejects.toEqual(fault(use.order, "the carrier"));
    const failingSync = iterate(
      bodyOf({
        [Symbol.iterator]: () => ({
          next: () => {
            throw new Error("own");
          },
        }),
      }),
    );
    expect(() => failingSync.next()).toThrow("own");
    expect(() => failingSync.next()).toThrow(fault(use.order, "the carrier") as Error);
  });

  test("asking for two chunks at once is the reader's fault", async () => {
    const stream = iterateAsync(bodyOf(generate()));
    const first = stream.next();
    await expect(stream.next()).rejects.toEqual(fault(use.order, "the carrier"));
    expect(await first).toEqual({ done: false, value: chunks[0] });
  });

  test("an early stop reaches the app", async () => {
    const done = vi.fn();
    const body = (async function* () {
      try {
        yield* chunks;
      } finally {
        done();
      }
    })();
    for await (const _ of bodyOf(body) as AsyncIterable<Uint8Array>) break;
    expect(done).toHaveBeenCalledOnce();
    const doneSync = vi.fn();
    const sync = {
      [Symbol.iterator]: () => ({
        next: () => ({ done: false, value: chunks[0] as Uint8Array }),
        return: () => {
          doneSync();
          return { done: true as const, value: undefined };
        },
      }),
    };
    for (const _ of bodyOf(sync) as Iterable<Uint8Array>) break;
    expect(doneSync).toHaveBeenCalledOnce();
  });

  test.each([
    ["3", 1, "4 bytes, Content-Length is 3"],
    ["5", 2, "4 bytes, Content-Length is 5"],
  ])("R-W4: four bytes where Content-Length says %s are the app's fault", (length, reads, found) => {
    const headers = HeaderList.from({ "Content-Length": length });
    const iterator = iterate(bodyOf(chunks, { headers }));
    for (let at = 0; at < reads; at++) iterator.next();
    expect(() => iterator.next()).toThrow(fault(use.length, "the app") as Error);
    expect(() => iterate(bodyOf([...chunks, ...chunks], { headers })).next()).not.toThrow();
    const again = iterate(bodyOf(chunks, { headers }));
    for (let at = 0; at < reads; at++) again.next();
    expect(() => again.next()).toThrow(found);
  });
});

describe("close", () => {
  const closing = (close = vi.fn()): HttpResponse & { close: typeof close } => ({ ...ok, body: chunks, close });

  test("R-W3: reaches the app once; a second call is the caller's fault", () => {
    const answer = closing();
    const linted = ask(() => answer);
    linted.close?.();
    expect(answer.close).toHaveBeenCalledOnce();
    expect(() => linted.close?.()).toThrow(fault(use.closeOnce, "the carrier") as Error);
  });

  test("R-W3: an answer that is dropped is the fault of whoever was given it", () => {
    const found: LintError[] = [];
    const exchange = exchangeOf(() => ok);
    ask(() => closing(), testRequest("/", { exchange }), { report: (error) => found.push(error) });
    expect(found).toEqual([]);
    exchange.end(sent);
    expect(found).toEqual([fault(use.closed, "the carrier")]);
  });

  test("R-W3: without a reporter a dropped answer is logged, since nobody could catch it", () => {
    const error = vi.fn();
    const log = { ...silentLogger, error, child: () => log };
    const exchange = exchangeOf(() => ok, log);
    ask(() => closing(), testRequest("/", { exchange }));
    exchange.end(sent);
    expect(error).toHaveBeenCalledExactlyOnceWith(
      { err: fault(use.closed, "the carrier") },
      expect.stringContaining("it was dropped"),
    );
  });

  test("a closed answer is well when the exchange ends, and so is one that came after the end", () => {
    const found: LintError[] = [];
    const options: LintOptions = { report: (error) => found.push(error) };
    const exchange = exchangeOf(() => ok);
    const request = testRequest("/", { exchange });
    ask(() => closing(), request, options).close?.();
    exchange.end(sent);
    ask(() => closing(), request, options);
    expect(found).toEqual([]);
  });

  test("reading on after close is the reader's fault", () => {
    const linted = ask(() => closing()) as HttpResponse;
    const iterator = (linted.body as Iterable<Uint8Array>)[Symbol.iterator]();
    iterator.next();
    linted.close?.();
    expect(() => iterator.next()).toThrow(fault(use.order, "the carrier") as Error);
  });
});

describe("sockets", () => {
  const accept: WebSocketAccept = {
    kind: "accept",
    subprotocol: null,
    headers: HeaderList.empty,
    async run(peer) {
      for await (const message of peer)
        await peer.send(message.text() === "bad" ? (7 as unknown as string) : message.bytes);
    },
  };
  const open = (answer: WebSocketAccept = accept): WebSocketAccept =>
    ask(() => answer, testSocket()) as WebSocketAccept;

  test("converse as without lint", async () => {
    const { peer, client } = socketPair();
    const running = open().run(peer);
    client.send(encodeText("hello"));
    expect(await client.receive()).toEqual(encodeText("hello"));
    client.close();
    await running;
  });

  test("a message that is neither text nor bytes is the app's fault", async () => {
    const { peer, client } = socketPair();
    const running = open().run(peer);
    client.send("bad");
    await expect(running).rejects.toEqual(fault(use.message, "the app"));
  });

  test("a second run, or one after close, is the carrier's fault", async () => {
    const answer = open({ ...accept, run: async () => {}, close: () => {} });
    const { peer } = socketPair();
    await answer.run(peer);
    expect(() => answer.run(peer)).toThrow(fault(use.run, "the carrier") as Error);
    const closed = open({ ...accept, close: () => {} });
    closed.close?.();
    expect(() => closed.run(peer)).toThrow(fault(use.run, "the carrier") as Error);
  });
});

describe("bodies of requests", () => {
  async function readAll(request: GatewayRequest): Promise<number> {
    let bytes = 0;
    for await (const chunk of request.body) bytes += chunk.length;
    return bytes;
  }
  const reading =
    (count: (bytes: number) => void): Handler =>
    async (request) => {
      count(await readAll(request));
      return ok;
    };
  const withBody = (given: readonly unknown[], length: number | null): HttpRequest => ({
    ...testRequest("/", { method: "POST" }),
    body: {
      length,
      replayable: true,
      async *[Symbol.asyncIterator]() {
        yield* given as readonly Uint8Array[];
      },
    },
  });

  test.each([4, null])("pass chunk by chunk when the length is %j", async (length) => {
    const count = vi.fn();
    await lint(reading(count)).handle(withBody(chunks, length));
    expect(count).toHaveBeenCalledWith(4);
  });

  test("keep their sync side and their trailers", async () => {
    const request = withBody(chunks, 4);
    const body = {
      ...request.body,
      readSync: (maxBytes: number): Uint8Array => encodeText("abcd").subarray(0, maxBytes),
      trailers: async () => HeaderList.from({ X: "1" }),
    };
    const handler: Handler = async ({ body: given }) => {
      expect(given.readSync?.(2)).toEqual(encodeText("ab"));
      expect((await given.trailers?.())?.get("x")).toBe("1");
      return ok;
    };
    await lint(handler).handle({ ...request, body });
    expect.assertions(2);
  });

  test("a chunk that is no Uint8Array is the carrier's fault", async () => {
    const answer = lint(reading(() => {})).handle(withBody(["text"], null));
    await expect(answer).rejects.toEqual(fault(use.requestChunk, "the carrier"));
  });

  test.each([3, 5])("a length other than the announced %i is the carrier's fault", async (length) => {
    const answer = lint(reading(() => {})).handle(withBody(chunks, length));
    await expect(answer).rejects.toEqual(fault(use.requestLength, "the carrier"));
  });

  test("so is one that is read sync", () => {
    const request = withBody([], 1);
    const body = { ...request.body, readSync: () => encodeText("ab") };
    const handler: Handler = ({ body: given }) => {
      given.readSync?.(2);
      return ok;
    };
    expect(() => ask(handler, { ...request, body })).toThrow(fault(use.requestLength, "the carrier") as Error);
  });
});

describe("layer by layer", () => {
  const outer = layer({ name: "outer", onResponse: (answer) => answer });
  const run = (inner: Middleware, app: Handler, options: LintOptions = {}): Answer =>
    compose(lintLayers([outer, inner], { inner: "guestbook", ...options }), app).handle(testRequest()) as Answer;

  test("lets right layers pass", () => {
    expect(run(outer, () => ok)).toEqual(ok);
  });

  test("names the layer that spoils the request", () => {
    const spoils = layer({ name: "spoils", onRequest: (request) => ({ ...request, path: "a" }) });
    expect(() => run(spoils, () => ok)).toThrow(fault({ id: "request-path" }, "spoils") as Error);
  });

  test("names the layer that spoils the answer", () => {
    const spoils = layer({ name: "spoils", onResponse: (answer) => ({ ...answer, status: 99 }) as Answer });
    expect(() => run(spoils, () => ok)).toThrow(fault({ id: "answer-status" }, "spoils") as Error);
  });

  test("names the app where the app spoils it", () => {
    expect(() => run(outer, () => ({ ...ok, status: 99 }))).toThrow(
      fault({ id: "answer-status" }, "guestbook") as Error,
    );
  });

  test("names the layer that drops an answer without closing it", () => {
    const found: LintError[] = [];
    const drops = layer({ name: "drops", onResponse: () => ok });
    const app = compose(lintLayers([outer, drops], { report: (error) => found.push(error) }), () => ({
      ...ok,
      close: () => {},
    }));
    const exchange = exchangeOf(app);
    app.handle(testRequest("/", { exchange }));
    exchange.end(sent);
    expect(found).toEqual([fault(use.closed, "drops")]);
  });

  test("names the layer that makes up an exchange", () => {
    const makesUp = layer({ name: "makes up", onRequest: () => testRequest() });
    expect(() => run(makesUp, () => ok)).toThrow(fault(use.exchangeShared, "makes up") as Error);
  });

  test("names layers by their function where they have no other name", () => {
    const plain: Middleware = (next) => next;
    const spoils: Middleware = Object.assign(
      (next: Handler): Handler =>
        (request) =>
          next({ ...request, path: "a" }),
      {},
    );
    Object.defineProperty(spoils, "name", { value: "byHand" });
    expect(() => compose(lintLayers([plain, spoils]), () => ok).handle(testRequest())).toThrow(
      fault({ id: "request-path" }, "byHand") as Error,
    );
  });

  test("checks for identity headers at the edge alone", () => {
    const identity = layer({
      name: "identity",
      onRequest: (request) => ({ ...request, headers: request.headers.with("Remote-User", "zoé") }),
    });
    expect(run(identity, () => ok, { edge: true })).toEqual(ok);
    const forged = { ...testRequest(), headers: HeaderList.from({ "Remote-User": "root" }) };
    const app = compose(lintLayers([outer], { edge: true }), () => ok);
    expect(() => app.handle(forged)).toThrow(fault({ id: "request-identity" }, "the carrier") as Error);
  });

  test("starts and stops each layer once", async () => {
    const start = vi.fn();
    const stop = vi.fn();
    const living = layer({ name: "living", start, stop });
    const app = lint(compose(lintLayers([living]), lint({ handle: () => ok, start, stop })));
    await app.start?.(createContext());
    await app.stop?.(AbortSignal.timeout(1_000));
    expect([start.mock.calls.length, stop.mock.calls.length]).toEqual([2, 2]);
  });
});

test("keeps the life of an app made from a class", async () => {
  const log: string[] = [];
  class Living implements App {
    readonly handle: Handler = () => ok;
    start(): void {
      log.push("start");
    }
    stop(): void {
      log.push("stop");
    }
    async reload(): Promise<void> {
      log.push("reload");
    }
    describe(): { kind: string; name: string } {
      return { kind: "class", name: "living" };
    }
    status(): { name: string; state: "ready"; error: null } {
      return { name: "living", state: "ready", error: null };
    }
  }
  const app = lint(new Living());
  await app.start?.(createContext());
  await app.reload?.();
  await app.stop?.(AbortSignal.timeout(1_000));
  expect(log).toEqual(["start", "reload", "stop"]);
  expect(app.describe?.()).toEqual({ kind: "class", name: "living" });
  expect(app.status?.()).toMatchObject({ state: "ready" });
});

test("each sentence about use is shown to break", () => {
  for (const { id } of modelRules.use) expect([id, shown.has(id)]).toEqual([id, true]);
});
