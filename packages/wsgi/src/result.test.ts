import { encodeText, type HttpResponse } from "@gw/core";
import { request, testRequest } from "@gw/core/testing";
import { describe, expect, test, vi } from "vitest";
import { fromWsgi } from "./from-wsgi.ts";
import type { WsgiApp, WsgiIterable } from "./types.ts";

const plain = [["Content-Type", "text/plain"]] as const;

/** An app whose iterable counts what happens to it. */
function counted(chunks: readonly (string | Error)[], headers: readonly (readonly [string, string])[] = plain) {
  const seen = { closed: 0, asked: 0 };
  const app: WsgiApp = (_environ, startResponse): WsgiIterable => {
    startResponse("200 OK", headers);
    return {
      *[Symbol.iterator]() {
        for (const chunk of chunks) {
          seen.asked++;
          if (chunk instanceof Error) throw chunk;
          yield encodeText(chunk);
        }
      },
      close() {
        seen.closed++;
      },
    };
  };
  return { app: fromWsgi(app), seen };
}

describe("close()", () => {
  test("R-W3: is called once after the last chunk", async () => {
    const { app, seen } = counted(["a", "b"]);
    expect((await request(app)).text()).toBe("ab");
    expect(seen.closed).toBe(1);
  });

  test("R-W3: is called once when there is no chunk at all", async () => {
    const { app, seen } = counted([]);
    await request(app);
    expect(seen.closed).toBe(1);
  });

  test("R-W3, R-W5: is called once when the first chunk throws, and the answer is 500", async () => {
    const { app, seen } = counted([new Error("oops")]);
    expect((await request(app)).status).toBe(500);
    expect(seen.closed).toBe(1);
  });

  test("R-W3, R-W5: is called once when a later chunk throws, and the answer is cut", async () => {
    const { app, seen } = counted(["a", new Error("oops")]);
    const answer = await request(app);
    expect([answer.text(), answer.outcome.result, seen.closed]).toEqual(["a", "cut", 1]);
  });

  test("R-W3: is called once when the client leaves in the middle", async () => {
    const { app, seen } = counted(["a", "b", "c", "d"]);
    const client = new AbortController();
    const answer = await request(app, "/", { signal: client.signal, onChunk: () => client.abort() });
    expect([answer.outcome.result, seen.closed]).toEqual(["gone", 1]);
    expect(seen.asked).toBeLessThan(4);
  });

  test("R-W3: is called once when the body is never read (HEAD)", async () => {
    const { app, seen } = counted(["a", "b"]);
    await request(app, "/", { method: "HEAD" });
    expect(seen.closed).toBe(1);
  });

  test("R-W3: is called once when start_response was forgotten", () => {
    let closed = 0;
    const app = fromWsgi(() => ({
      [Symbol.iterator]: () => [encodeText("a")][Symbol.iterator](),
      close: () => void closed++,
    }));
    expect(() => app.handle(testRequest("/"))).toThrow();
    expect(closed).toBe(1);
  });

  test("R-W3: is called once on an array that has one", async () => {
    let closed = 0;
    const app = fromWsgi((_environ, startResponse) => {
      startResponse("200 OK", plain);
      return Object.assign([encodeText("a")], { close: () => void closed++ });
    });
    expect((await request(app)).text()).toBe("a");
    expect(closed).toBe(1);
  });

  test("R-W3: is called once also when the answer is closed twice", () => {
    const { app, seen } = counted(["a", "b"]);
    const answer = app.handle(testRequest("/")) as HttpResponse;
    answer.close?.();
    answer.close?.();
    expect(seen.closed).toBe(1);
  });

  test("a generator that is stopped early runs its finally block", async () => {
    let isDone = false;
    const app = fromWsgi((_environ, startResponse) => {
      startResponse("200 OK", plain);
      return (function* () {
        try {
          for (;;) yield encodeText("x");
        } finally {
          isDone = true;
        }
      })();
    });
    const client = new AbortController();
    await request(app, "/", { signal: client.signal, onChunk: () => client.abort() });
    expect(isDone).toBe(true);
  });

  test("an error of close() after an error of the app hides neither", async () => {
    const oops = new Error("oops");
    const app = fromWsgi((_environ, startResponse) => {
      startResponse("200 OK", plain);
      return {
        [Symbol.iterator]() {
          throw oops;
        },
        close() {
          throw new Error("second");
        },
      };
    });
    expect((await request(app)).outcome.error).toBe(oops);
  });
});

describe("Content-Length", () => {
  const announced = (length: number) => [...plain, ["Content-Length", String(length)]] as const;

  test("R-W4: never more bytes than announced, in one piece", async () => {
    const app = fromWsgi((_environ, startResponse) => {
      startResponse("200 OK", announced(5));
      return [encodeText("Hello, World!")];
    });
    expect((await request(app)).text()).toBe("Hello");
  });

  test("R-W4: never more bytes than announced, streamed; the iteration stops there", async () => {
    const { app, seen } = counted(["Hel", "lo, ", "World!", "never"], announced(5));
    const answer = await request(app);
    expect([answer.text(), answer.outcome.result, seen]).toEqual(["Hello", "sent", { closed: 1, asked: 2 }]);
  });

  test("R-W4: fewer bytes than announced, known before the head: 500", async () => {
    const app = fromWsgi((_environ, startResponse) => {
      startResponse("200 OK", announced(50));
      return [encodeText("short")];
    });
    expect((await request(app)).status).toBe(500);
  });

  test("R-W4: fewer bytes than announced, streamed: visibly cut", async () => {
    const { app, seen } = counted(["Hel", "lo"], announced(50));
    const answer = await request(app);
    expect([answer.outcome.result, seen.closed]).toEqual(["cut", 1]);
    expect(answer.outcome.error).toMatchObject({ code: "GW_LENGTH_MISMATCH" });
  });

  test("a first chunk of exactly that length goes out in one piece", () => {
    const { app } = counted(["Hello"], announced(5));
    expect((app.handle(testRequest("/")) as HttpResponse).body).toEqual(encodeText("Hello"));
  });

  test("may be told to HEAD without a body", async () => {
    const { app } = counted([], announced(5));
    const answer = await request(app, "/", { method: "HEAD" });
    expect([answer.status, answer.headers.get("content-length")]).toEqual([200, "5"]);
  });
});

test("R-W7: no chunk is made before the client has taken the one before", async () => {
  const { app, seen } = counted(["a", "b", "c"]);
  const waiting: (() => void)[] = [];
  const answer = request(app, "/", { onChunk: () => new Promise((resolve) => void waiting.push(resolve)) });
  for (const asked of [1, 2, 3]) {
    await vi.waitFor(() => expect(waiting.length).toBe(asked));
    expect(seen.asked).toBe(asked);
    waiting.at(-1)?.();
  }
  expect((await answer).text()).toBe("abc");
});
