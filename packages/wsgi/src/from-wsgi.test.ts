import { encodeText, HeaderList, isGatewayError, stateKey, text } from "@gw/core";
import { openSocket, request, testRequest } from "@gw/core/testing";
import { describe, expect, test } from "vitest";
import { fromWsgi } from "./from-wsgi.ts";
import type { Environ, StartResponse, WsgiApp } from "./types.ts";

const hello = encodeText("Hello, World!");

// The five lines of PEP 3333's own kind, in TypeScript.
function application(_environ: Environ, startResponse: StartResponse): Iterable<Uint8Array> {
  startResponse("200 OK", [["Content-Type", "text/plain"]]);
  return [new TextEncoder().encode("Hello, World!")];
}

/** An app that answers with what it makes of the environ. */
function answering(body: (environ: Environ) => string): WsgiApp {
  return (environ, startResponse) => {
    startResponse("200 OK", [["Content-Type", "text/plain"]]);
    return [encodeText(body(environ))];
  };
}

describe("fromWsgi", () => {
  test("runs the five-line application as it stands in the PEP", async () => {
    const answer = await request(fromWsgi(application), "/");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("text/plain");
    expect(answer.text()).toBe("Hello, World!");
  });

  test("answers a request without a body at once, with a body in one piece", () => {
    const answer = fromWsgi(application).handle(testRequest("/"));
    expect(answer).toMatchObject({ kind: "response", status: 200, body: hello });
  });

  test("reads the body before it calls the app", async () => {
    const app = fromWsgi(answering((environ) => `${environ.CONTENT_LENGTH}: ${read(environ)}`));
    expect((await request(app, "/", { method: "POST", body: "a=b" })).text()).toBe("3: a=b");
  });

  test("gives a chunked body its true CONTENT_LENGTH (R-C7)", async () => {
    const app = fromWsgi(
      answering((environ) => `${environ.CONTENT_LENGTH} ${environ["wsgi.input_terminated"]} ${read(environ)}`),
    );
    const body = [encodeText("one "), encodeText("two")];
    expect((await request(app, "/", { method: "POST", body })).text()).toBe("7 true one two");
  });

  test("keeps a body beyond maxMemoryBytes in a file, and gives it whole", async () => {
    const large = new Uint8Array(300_000).map((_, at) => at % 251);
    const app = fromWsgi(
      (environ, startResponse) => {
        startResponse("200 OK", [["Content-Type", "application/octet-stream"]]);
        return [environ["wsgi.input"].read()];
      },
      { maxMemoryBytes: 1_000 },
    );
    const answer = await request(app, "/", { method: "PUT", body: large });
    expect(Buffer.compare(answer.bytes, large)).toBe(0);
  });

  test("R-H7: refuses a body over the limit with 413, before the app runs", async () => {
    let calls = 0;
    const app = fromWsgi((environ, startResponse) => {
      calls++;
      return application(environ, startResponse);
    });
    expect((await request(app, "/", { method: "POST", body: "too long", maxBodyBytes: 4 })).status).toBe(413);
    expect(calls).toBe(0);
  });

  test("refuses a WebSocket with 400 and does not call the app", async () => {
    let calls = 0;
    const app = fromWsgi((environ, startResponse) => {
      calls++;
      return application(environ, startResponse);
    });
    expect((await openSocket(app, "/")).response?.status).toBe(400);
    expect(calls).toBe(0);
  });

  test("R-W5: an error of the app gives 500 without detail", async () => {
    const answer = await request(
      fromWsgi(() => {
        throw new Error("the password is swordfish");
      }),
    );
    expect(answer.status).toBe(500);
    expect(answer.text()).toBe("500 Internal Server Error\n");
  });

  test.each([
    ["a promise", Promise.resolve([]), "promise"],
    ["null", null, "found null"],
    ["a number", 5, "found number"],
    ["a string", "Hello", "found string"],
    ["an array of strings", ["Hello"], "found string"],
  ])("names the mistake of an app that returns %s", (_, result, message) => {
    const app = fromWsgi(((_environ: Environ, startResponse: StartResponse) => {
      startResponse("200 OK", []);
      return result;
    }) as unknown as WsgiApp);
    expect(() => app.handle(testRequest("/"))).toThrow(message);
  });

  test("names the mistake of an app that never calls start_response", () => {
    const app = fromWsgi(() => [hello]);
    expect(() => app.handle(testRequest("/"))).toThrow(expect.objectContaining({ code: "GW_WSGI_NO_START" }));
  });

  test("lets start_response be called in the first iteration (PEP 3333)", async () => {
    const app: WsgiApp = (_environ, startResponse) =>
      (function* () {
        startResponse("201 Created", [["Content-Type", "text/plain"]]);
        yield encodeText("late");
      })();
    const answer = await request(fromWsgi(app));
    expect([answer.status, answer.text()]).toEqual([201, "late"]);
  });

  test("calls start_response late even when empty chunks come first", async () => {
    const app: WsgiApp = (_environ, startResponse) =>
      (function* () {
        yield new Uint8Array(0);
        startResponse("200 OK", [["Content-Type", "text/plain"]]);
        yield new Uint8Array(0);
        yield encodeText("body");
      })();
    expect((await request(fromWsgi(app))).text()).toBe("body");
  });

  test("sends each chunk of a generator before it asks for the next", async () => {
    const seen: string[] = [];
    const app: WsgiApp = (_environ, startResponse) => {
      startResponse("200 OK", [["Content-Type", "text/plain"]]);
      return (function* () {
        for (const part of ["a", "b", "c"]) {
          seen.push(`made ${part}`);
          yield encodeText(part);
        }
      })();
    };
    await request(fromWsgi(app), "/", { onChunk: (chunk) => void seen.push(`sent ${String.fromCharCode(...chunk)}`) });
    expect(seen).toEqual(["made a", "sent a", "made b", "sent b", "made c", "sent c"]);
  });

  test("joins the chunks of a small array into one body", () => {
    const app = fromWsgi((_environ, startResponse) => {
      startResponse("200 OK", [["Content-Type", "text/plain"]]);
      return [encodeText("Hello, "), new Uint8Array(0), encodeText("World!")];
    });
    expect(app.handle(testRequest("/"))).toMatchObject({ body: hello });
  });

  test("streams a large array, whole", async () => {
    const part = new Uint8Array(40_000).fill(7);
    const app = fromWsgi((_environ, startResponse) => {
      startResponse("200 OK", [["Content-Type", "application/octet-stream"]]);
      return [part, part, part];
    });
    expect((await request(app)).bytes.length).toBe(120_000);
  });

  test("gives an empty body for an empty iterable", async () => {
    const app = fromWsgi((_environ, startResponse) => {
      startResponse("200 OK", [["Content-Type", "text/plain"]]);
      return [];
    });
    const answer = await request(app);
    expect([answer.status, answer.bytes.length]).toEqual([200, 0]);
  });

  test("sends no body with 204 and none to HEAD", async () => {
    const app: WsgiApp = (environ, startResponse) => {
      if (environ.REQUEST_METHOD === "HEAD") startResponse("200 OK", [["Content-Length", "13"]]);
      else startResponse("204 No Content", []);
      return environ.REQUEST_METHOD === "HEAD" ? [] : [hello];
    };
    const empty = await request(fromWsgi(app));
    expect([empty.status, empty.bytes.length]).toEqual([204, 0]);
    const head = await request(fromWsgi(app), "/", { method: "HEAD" });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, "13"]);
  });

  test("keeps repeated Set-Cookie lines and their order", async () => {
    const app = fromWsgi((_environ, startResponse) => {
      startResponse("200 OK", [
        ["Set-Cookie", "a=1"],
        ["Content-Type", "text/plain"],
        ["Set-Cookie", "b=2"],
      ]);
      return [hello];
    });
    expect((await request(app)).headers.getAll("set-cookie")).toEqual(["a=1", "b=2"]);
  });

  test("sends early hints where the carrier can", async () => {
    const app = fromWsgi((environ, startResponse) => {
      environ["wsgi.early_hints"]?.([["Link", "</style.css>; rel=preload"]]);
      return application(environ, startResponse);
    });
    const answer = await request(app);
    expect(answer.earlyHints).toEqual([HeaderList.from({ Link: "</style.css>; rel=preload" })]);
  });

  test("leaves early hints out where the carrier cannot", () => {
    let environ: Environ | null = null;
    fromWsgi((given, startResponse) => {
      environ = given;
      return application(given, startResponse);
    }).handle(testRequest("/"));
    expect(environ).not.toHaveProperty("wsgi.early_hints");
  });

  test("hands on the life of a function that has one", async () => {
    const life: string[] = [];
    const app = fromWsgi(
      Object.assign(application, { start: () => void life.push("start"), stop: () => void life.push("stop") }),
    );
    await request(app);
    expect(life).toEqual(["start", "stop"]);
  });

  test("says what it is", () => {
    expect(fromWsgi(application).describe?.()).toEqual({ kind: "wsgi", name: "application" });
  });

  test("lets the app change its environ without touching the request", async () => {
    const key = stateKey<string>("test.key");
    const app = fromWsgi((environ, startResponse) => {
      environ.PATH_INFO = "/changed";
      environ["test.key"] = 1;
      return application(environ, startResponse);
    });
    const asked = testRequest("/path");
    await app.handle(asked);
    expect([asked.path, asked.state.get(key)]).toEqual(["/path", undefined]);
  });

  test("a head that the app repeats is the same list each time", async () => {
    const app = fromWsgi(application);
    const [first, second] = [app.handle(testRequest("/")), app.handle(testRequest("/"))];
    expect((first as { headers: HeaderList }).headers).toBe((second as { headers: HeaderList }).headers);
  });

  test("heads that differ in one value, name, status or length are told apart", async () => {
    let head: [string, [string, string][]] = ["200 OK", []];
    const app = fromWsgi((_environ, startResponse) => {
      startResponse(...head);
      return [hello];
    });
    const heads: [string, [string, string][]][] = [
      ["200 OK", [["A", "1"]]],
      ["200 OK", [["A", "2"]]],
      ["200 OK", [["B", "2"]]],
      ["201 OK", [["B", "2"]]],
      [
        "201 OK",
        [
          ["B", "2"],
          ["B", "2"],
        ],
      ],
      ["201 OK", []],
      ["200 OK", [["A", "1"]]],
    ];
    for (const one of heads) {
      head = one;
      const answer = await request(app);
      expect([answer.status, answer.headers.toJSON()]).toEqual([Number(one[0].slice(0, 3)), one[1]]);
    }
  });

  test("a rejected status does not stay in the way of the next request", async () => {
    let status = "200";
    const app = fromWsgi((_environ, startResponse) => {
      startResponse(status, [["Content-Type", "text/plain"]]);
      return [hello];
    });
    expect(() => app.handle(testRequest("/"))).toThrow(expect.objectContaining({ code: "GW_WSGI_START" }));
    status = "200 OK";
    expect((await request(app)).status).toBe(200);
  });

  test("text() made by the core and a WSGI app side by side differ in nothing the client sees", async () => {
    const made = await request(() => text("Hello, World!", { headers: { "Content-Type": "text/plain" } }));
    const ours = await request(fromWsgi(application));
    expect([ours.status, ours.text(), ours.headers.toJSON()]).toEqual([
      made.status,
      made.text(),
      made.headers.toJSON(),
    ]);
  });
});

function read(environ: Environ): string {
  return new TextDecoder().decode(environ["wsgi.input"].read());
}

test("codes are GatewayErrors", () => {
  try {
    fromWsgi(() => [hello]).handle(testRequest("/"));
  } catch (error) {
    expect(isGatewayError(error, "GW_WSGI_NO_START")).toBe(true);
  }
  expect.assertions(1);
});
