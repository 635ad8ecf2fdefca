import { encodeText } from "@gw/core";
import { request, testRequest } from "@gw/core/testing";
import { describe, expect, test } from "vitest";
import { excInfo } from "./exc-info.ts";
import { fromWsgi } from "./from-wsgi.ts";
import type { StartResponse, WsgiApp } from "./types.ts";

const plain = [["Content-Type", "text/plain"]] as const;
const hello = encodeText("Hello, World!");

function code(app: WsgiApp): string {
  try {
    fromWsgi(app).handle(testRequest("/"));
  } catch (error) {
    return (error as { code: string }).code;
  }
  return "no error";
}

describe("start_response", () => {
  test("R-W2: a second call without exc_info is an error", () => {
    const app: WsgiApp = (_environ, startResponse) => {
      startResponse("200 OK", plain);
      startResponse("404 Not Found", plain);
      return [hello];
    };
    expect(code(app)).toBe("GW_WSGI_START_TWICE");
  });

  test("R-W2: a second call is an error also if the first one failed", () => {
    const app: WsgiApp = (_environ, startResponse) => {
      try {
        startResponse("nonsense", plain);
      } catch {
        startResponse("200 OK", plain);
      }
      return [hello];
    };
    expect(code(app)).toBe("GW_WSGI_START_TWICE");
  });

  test("R-W2: exc_info before the head has gone out replaces it", async () => {
    const app: WsgiApp = (_environ, startResponse) => {
      try {
        startResponse("200 Froody", plain);
        throw new Error("oops");
      } catch (error) {
        startResponse("500 Oops", plain, excInfo(error));
        return [encodeText("error body goes here")];
      }
    };
    const answer = await request(fromWsgi(app));
    expect([answer.status, answer.text()]).toEqual([500, "error body goes here"]);
  });

  test("R-W2: a generator may replace the head up to its first chunk that is not empty", async () => {
    const app: WsgiApp = (_environ, startResponse) => {
      startResponse("200 OK", plain);
      return (function* () {
        yield new Uint8Array(0);
        startResponse("503 Service Unavailable", plain, excInfo(new Error("late")));
        yield encodeText("sorry");
      })();
    };
    const answer = await request(fromWsgi(app));
    expect([answer.status, answer.text()]).toEqual([503, "sorry"]);
  });

  test("R-W2, R-W5: exc_info after the head has gone out throws the error again, and the answer is visibly cut", async () => {
    const oops = new Error("oops");
    const app: WsgiApp = (_environ, startResponse) => {
      startResponse("200 OK", plain);
      return (function* () {
        yield encodeText("first");
        try {
          throw oops;
        } catch (error) {
          startResponse("500 Oops", plain, excInfo(error));
        }
        yield encodeText("never");
      })();
    };
    const answer = await request(fromWsgi(app));
    expect([answer.status, answer.text(), answer.outcome.result]).toEqual([200, "first", "cut"]);
    expect(answer.outcome.error).toBe(oops);
  });

  test("exc_info is also right in the first call", async () => {
    const app: WsgiApp = (_environ, startResponse) => {
      startResponse("500 Oops", plain, excInfo(new Error("oops")));
      return [hello];
    };
    expect((await request(fromWsgi(app))).status).toBe(500);
  });

  test.each<[string, unknown]>([
    ["a number", 200],
    ["no reason", "200"],
    ["no space", "200OK"],
    ["an interim status", "103 Early Hints"],
    ["four digits", "2000 OK"],
    ["a line feed", "200 OK\n"],
    ["a char above U+00FF", "200 안녕"],
    ["nothing", undefined],
  ])("refuses a status that is %s", (_, status) => {
    expect(
      code((_environ, startResponse) => {
        startResponse(status as string, plain);
        return [hello];
      }),
    ).toBe("GW_WSGI_START");
  });

  test.each<[string, unknown, string]>([
    ["no array", { "Content-Type": "text/plain" }, "GW_WSGI_START"],
    ["no pairs", ["Content-Type: text/plain"], "GW_WSGI_START"],
    ["a pair of three", [["A", "b", "c"]], "GW_WSGI_START"],
    ["a number as value", [["Content-Length", 13]], "GW_WSGI_START"],
    ["a colon in a name", [["Content-Type:", "text/plain"]], "GW_RESPONSE_HEAD"],
    ["a line break in a value", [["X", "a\r\nSet-Cookie: b=c"]], "GW_RESPONSE_HEAD"],
    ["a char above U+00FF", [["X", "안녕"]], "GW_RESPONSE_HEAD"],
    ["a malformed Content-Length", [["Content-Length", "ten"]], "GW_RESPONSE_HEAD"],
    [
      "two Content-Lengths",
      [
        ["Content-Length", "1"],
        ["Content-Length", "1"],
      ],
      "GW_RESPONSE_HEAD",
    ],
  ])("R-H5: refuses headers with %s while the app is still running", (_, headers, expected) => {
    let isAfter = false;
    const found = code((_environ, startResponse) => {
      (startResponse as (...args: unknown[]) => void)("200 OK", headers);
      isAfter = true;
      return [hello];
    });
    expect([found, isAfter]).toEqual([expected, false]);
  });

  test.each(["Connection", "Keep-Alive", "Transfer-Encoding", "TE", "Trailer", "Upgrade", "Proxy-Authenticate"])(
    "R-W4: refuses the hop-by-hop field %s",
    (name) => {
      expect(
        code((_environ, startResponse) => {
          startResponse("200 OK", [[name, "x"]]);
          return [hello];
        }),
      ).toBe("GW_RESPONSE_HEAD");
    },
  );
});

describe("write()", () => {
  test("sends before the chunks of the iterable", async () => {
    const app: WsgiApp = (_environ, startResponse) => {
      const write = startResponse("200 OK", plain);
      write(encodeText("one "));
      write(encodeText("two "));
      return (function* () {
        yield encodeText("three");
      })();
    };
    expect((await request(fromWsgi(app))).text()).toBe("one two three");
  });

  test("and an empty array make one body of known length", () => {
    const app = fromWsgi((_environ, startResponse) => {
      const write = startResponse("200 OK", plain);
      write(encodeText("Hello, "));
      write(encodeText("World!"));
      return [];
    });
    expect(app.handle(testRequest("/"))).toMatchObject({ body: hello });
  });

  test("does not wait for a slow iterable: the answer is there before its first chunk is made", () => {
    let isAsked = false;
    const app = fromWsgi((_environ, startResponse) => {
      startResponse("200 OK", plain)(encodeText("first"));
      return (function* () {
        isAsked = true;
        yield encodeText("second");
      })();
    });
    expect(app.handle(testRequest("/"))).toMatchObject({ status: 200 });
    expect(isAsked).toBe(false);
  });

  test("R-W2: counts as the head having gone out", () => {
    const oops = new Error("oops");
    const app = fromWsgi((_environ, startResponse) => {
      startResponse("200 OK", plain)(encodeText("first"));
      startResponse("500 Oops", plain, excInfo(oops));
      return [];
    });
    expect(() => app.handle(testRequest("/"))).toThrow(oops);
  });

  test("R-W4: throws past the Content-Length", () => {
    const app: WsgiApp = (_environ, startResponse) => {
      const write = startResponse("200 OK", [...plain, ["Content-Length", "3"]]);
      write(encodeText("ab"));
      write(encodeText("cd"));
      return [];
    };
    expect(code(app)).toBe("GW_LENGTH_MISMATCH");
  });

  test("refuses text", () => {
    expect(code((_environ, startResponse) => writeText(startResponse))).toBe("GW_WSGI_CHUNK");
  });
});

function writeText(startResponse: StartResponse): [] {
  startResponse("200 OK", plain)("text" as unknown as Uint8Array);
  return [];
}
