import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeText, HeaderList } from "@gw/core";
import { type RequestInit, request, testRequest } from "@gw/core/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Send } from "./app.ts";
import type { SendEvent } from "./events.ts";
import { type FromAsgiOptions, fromAsgi } from "./from-asgi.ts";
import type { HeaderPair } from "./scopes.ts";

const bytes = encodeText;
const start: SendEvent = {
  type: "http.response.start",
  status: 200,
  headers: [[bytes("content-type"), bytes("text/plain")]],
};
const end: SendEvent = { type: "http.response.body" };

function appOf(act: (send: Send) => Promise<void>, options: FromAsgiOptions = {}) {
  return fromAsgi(async (scope, _receive, send) => {
    if (scope.type !== "http") throw new TypeError(`no ${scope.type} here`);
    await act(send);
  }, options);
}

/** Sends events in order; gives what one of them throws, and ends the response if it can. */
async function outcomeOf(events: readonly SendEvent[], init: RequestInit = {}) {
  let thrown: unknown = null;
  const answer = await request(
    appOf(async (send) => {
      for (const event of events) {
        try {
          await send(event);
        } catch (error) {
          thrown = error;
          throw error;
        }
      }
    }),
    "/",
    init,
  );
  return { answer, thrown };
}

describe("http.response.early_hint", () => {
  const hint = (...links: string[]): SendEvent => ({ type: "http.response.early_hint", links: links.map(bytes) });

  test("sends a 103 with the links, before or after the response has started", async () => {
    const { answer } = await outcomeOf([hint("</a.css>; rel=preload", "</b.js>"), start, hint("</c.css>"), end]);
    expect(answer.earlyHints).toEqual([
      HeaderList.from([
        ["Link", "</a.css>; rel=preload"],
        ["Link", "</b.js>"],
      ]),
      HeaderList.from([["Link", "</c.css>"]]),
    ]);
    expect(answer.status).toBe(200);
  });

  test("is ignored once the head is out", async () => {
    const { answer, thrown } = await outcomeOf([
      start,
      { type: "http.response.body", body: bytes("a"), more_body: true },
      hint("</a.css>"),
      end,
    ]);
    expect([answer.earlyHints, answer.text(), thrown]).toEqual([[], "a", null]);
  });

  test("R-H5: a link with a line break is refused", async () => {
    const { answer, thrown } = await outcomeOf([hint("</a>\r\nSet-Cookie: a=b")]);
    expect([answer.status, answer.earlyHints]).toEqual([500, []]);
    expect(thrown).toMatchObject({ code: "GW_ASGI_EVENT" });
  });

  test("throws where the carrier cannot", async () => {
    const app = appOf((send) => send(hint("</a.css>")));
    await expect(app.handle(testRequest("/"))).rejects.toMatchObject({ code: "GW_ASGI_EVENT" });
  });
});

describe("http.response.trailers", () => {
  const started: SendEvent = { ...start, trailers: true } as SendEvent;
  const trailers = (pairs: Record<string, string>, more_trailers = false): SendEvent => ({
    type: "http.response.trailers",
    headers: Object.entries(pairs).map(([name, value]): HeaderPair => [bytes(name), bytes(value)]),
    more_trailers,
  });
  const te = { headers: { TE: "gzip, trailers" } };

  test("follow the body, in several events", async () => {
    const { answer } = await outcomeOf(
      [started, { type: "http.response.body", body: bytes("x") }, trailers({ a: "1" }, true), trailers({ b: "2" })],
      te,
    );
    expect([answer.text(), answer.trailers?.toJSON()]).toEqual([
      "x",
      [
        ["a", "1"],
        ["b", "2"],
      ],
    ]);
  });

  test("are sent only to clients that accept them", async () => {
    const { answer } = await outcomeOf([
      started,
      { type: "http.response.body", body: bytes("x") },
      trailers({ a: "1" }),
    ]);
    expect([answer.text(), answer.trailers]).toEqual(["x", null]);
  });

  test("the response is not over before they have come", async () => {
    const { answer } = await outcomeOf([started, { type: "http.response.body", body: bytes("x") }], te);
    expect([answer.text(), answer.outcome.result, answer.trailers]).toEqual(["x", "sent", null]);
  });

  test("R-W4: hop-by-hop fields are refused in them, too", async () => {
    const { thrown } = await outcomeOf(
      [started, { type: "http.response.body" }, trailers({ connection: "close" })],
      te,
    );
    expect(thrown).toMatchObject({ code: "GW_RESPONSE_HEAD" });
  });
});

describe("http.response.debug", () => {
  test("is offered only when asked for, and hands over its facts", async () => {
    const facts: unknown[] = [];
    const app = appOf(
      async (send) => {
        await send({ type: "http.response.debug", info: { template: "index" } });
        await send(start);
        await send(end);
      },
      { debug: (info) => void facts.push(info) },
    );
    expect((await request(app)).status).toBe(200);
    expect(facts).toEqual([{ template: "index" }]);
  });

  test("may not follow the start of the response", async () => {
    const app = appOf(
      async (send) => {
        await send(start);
        await send({ type: "http.response.debug", info: {} });
      },
      { debug: () => {} },
    );
    expect((await request(app)).outcome.error).toMatchObject({ code: "GW_ASGI_ORDER" });
  });
});

describe("files", () => {
  let folder = "";
  let path = "";
  const content = Uint8Array.from({ length: 200_000 }, (_, at) => at % 253);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "gw-asgi-"));
    path = join(folder, "file.bin");
    await writeFile(path, content);
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("pathsend sends the file as the whole body", async () => {
    const { answer } = await outcomeOf([start, { type: "http.response.pathsend", path }]);
    expect([answer.status, Buffer.compare(answer.bytes, content)]).toEqual([200, 0]);
  });

  test("pathsend to HEAD sends nothing", async () => {
    const { answer } = await outcomeOf([start, { type: "http.response.pathsend", path }], { method: "HEAD" });
    expect([answer.status, answer.bytes.length]).toEqual([200, 0]);
  });

  test("a file that is not there is a 500, not an empty answer", async () => {
    const { answer } = await outcomeOf([start, { type: "http.response.pathsend", path: join(folder, "missing") }]);
    expect(answer.status).toBe(500);
  });

  test("pathsend needs an absolute path, and cannot be mixed with body events", async () => {
    expect((await outcomeOf([start, { type: "http.response.pathsend", path: "file.bin" }])).thrown).toMatchObject({
      code: "GW_ASGI_EVENT",
    });
    const mixed = await outcomeOf([
      start,
      { type: "http.response.body", body: bytes("a"), more_body: true },
      { type: "http.response.pathsend", path },
    ]);
    expect(mixed.thrown).toMatchObject({ code: "GW_ASGI_ORDER" });
  });

  test("zerocopysend sends parts of an open file between body events, and leaves it open", async () => {
    const file = await open(path);
    try {
      const { answer } = await outcomeOf([
        start,
        { type: "http.response.body", body: bytes("<"), more_body: true },
        { type: "http.response.zerocopysend", file, offset: 10, count: 5, more_body: true },
        { type: "http.response.zerocopysend", file: file.fd, offset: 199_990, more_body: true },
        { type: "http.response.zerocopysend", file, offset: 0, count: 0, more_body: true },
        { type: "http.response.body", body: bytes(">") },
      ]);
      const expected = [...bytes("<"), ...content.subarray(10, 15), ...content.subarray(199_990), ...bytes(">")];
      expect([...answer.bytes]).toEqual(expected);
      expect((await file.stat()).size).toBe(content.length);
    } finally {
      await file.close();
    }
  });

  test("zerocopysend without an offset goes on where the file stands", async () => {
    const file = await open(path);
    try {
      const { answer } = await outcomeOf([
        start,
        { type: "http.response.zerocopysend", file, count: 4, more_body: true },
        { type: "http.response.zerocopysend", file, count: 4 },
      ]);
      expect([...answer.bytes]).toEqual([...content.subarray(0, 8)]);
    } finally {
      await file.close();
    }
  });

  test.each([
    ["no descriptor", { file: "name" as never }],
    ["a negative offset", { file: 0, offset: -1 }],
    ["half a byte", { file: 0, count: 0.5 }],
  ])("zerocopysend refuses %s", async (_, event) => {
    expect((await outcomeOf([start, { type: "http.response.zerocopysend", ...event }])).thrown).toMatchObject({
      code: "GW_ASGI_EVENT",
    });
  });
});
