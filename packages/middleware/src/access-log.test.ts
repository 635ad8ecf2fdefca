import { readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { type App, accept, compose, createContext, type GatewayRequest, text, withPrincipal } from "@gw/core";
import { openSocket, type RequestInit, request, run, testRequest } from "@gw/core/testing";
import { describe, expect, test } from "vitest";
import { testFolder } from "../test/folder.ts";
import { promisesMadeBy } from "../test/promises.ts";
import { type AccessLogOptions, accessLog } from "./access-log.ts";

const answer = text("hello", { headers: { "X-Kind": 'a "b"' } });

async function linesOf(options: AccessLogOptions, target: string, init: RequestInit = {}, app?: App["handle"]) {
  const lines: string[] = [];
  const layer = accessLog({ ...options, destination: (line) => lines.push(line) });
  await request(compose([layer], app ?? (() => answer)), target, init);
  return lines;
}

describe("Apache's letters", () => {
  test("combined", async () => {
    const headers = { "User-Agent": "curl/8", Referer: "http://x.example/" };
    const [line] = await linesOf({}, "/a?b=c", { headers });
    expect(line).toMatch(
      /^127\.0\.0\.1 - - \[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET \/a\?b=c HTTP\/1\.1" 200 5 "http:\/\/x\.example\/" "curl\/8"\n$/,
    );
  });

  test.each<[format: string, line: string | RegExp]>([
    ["%h %a %l %u", "127.0.0.1 127.0.0.1 - -"],
    ["%m %U %q %H", "GET /ü x ?b=c HTTP/1.1"],
    ["%s %>s %<s %b %B", "200 200 200 5 5"],
    ["%{Host}i %{Absent}i %v %V %p", "localhost - localhost localhost 80"],
    ["%{X-Kind}o %{None}o", 'a \\"b\\" -'],
    ["%{sid}C|%{no}C", "x y|-"],
    ["%X 100%%", "+ 100%"],
    ["%200{Host}i %404{Host}i %!200,304{Host}i", "localhost - -"],
    ["%D", /^\d+$/],
    ["%T %{s}T %{ms}T %{us}T", /^0 0 \d+ \d+$/],
    ["%L %P", /^[\w-]{8,} \d+$/],
    ["%{sec}t %{msec}t %{usec}t", /^\d{10} \d{13} \d{16}$/],
    ["%{iso}t", /^\d{4}-\d\d-\d\dT[\d:.]+Z$/],
  ])("%s", async (format, expected) => {
    const [line = ""] = await linesOf({ format }, "/%C3%BC%20x?b=c", { headers: { Cookie: "sid=x y" } });
    const shown = line.trimEnd();
    if (typeof expected === "string") expect(shown).toBe(expected.replace("ü", "\\xc3\\xbc"));
    else expect(shown).toMatch(expected);
  });

  test("common has no more than it says", async () => {
    expect((await linesOf({ format: "common" }, "/"))[0]).toMatch(/^127.+"GET \/ HTTP\/1.1" 200 5\n$/);
  });

  test.each(["%k", "%{x}", "%i", "%{weeks}T", "%{%Y}t", "100%", "%{Authorization}i", "%{cookie}i", "%{Set-Cookie}o"])(
    "refuses %s when the layer is made",
    (format) => {
      expect(() => accessLog({ format })).toThrow(expect.objectContaining({ code: "GW_LOG_FORMAT" }));
    },
  );
});

describe("JSON", () => {
  test("one object per exchange", async () => {
    const [line = ""] = await linesOf({ format: "json" }, "/%C3%BC?b=c", { headers: { "User-Agent": "x" } });
    expect(JSON.parse(line)).toEqual({
      time: expect.stringMatching(/Z$/),
      requestId: expect.stringMatching(/^[\w-]{8,}$/),
      client: "127.0.0.1",
      user: null,
      kind: "http",
      method: "GET",
      host: "localhost",
      target: "/%C3%BC?b=c",
      protocol: "HTTP/1.1",
      status: 200,
      bytesSent: 5,
      durationMs: expect.any(Number),
      result: "sent",
      referer: null,
      userAgent: "x",
    });
  });
});

describe("R-O13", () => {
  const hostile = 'a\u0000\u001b[31m"\\\u007f\u009b31m\u00ff';

  test("control bytes, quotes and terminal sequences are escaped", async () => {
    const init = { headers: { "User-Agent": hostile }, lint: false }; // carriers refuse most of these
    const [line = ""] = await linesOf({ format: "%{User-Agent}i" }, "/", init);
    expect(line).toBe('a\\x00\\x1b[31m\\"\\\\\\x7f\\x9b31m\\xff\n');
    const [json = ""] = await linesOf({ format: "json" }, "/", init);
    expect(json.slice(0, -1)).toMatch(/^[\x20-\x7e\ufffd]*$/);
  });

  test("a path cannot begin a line of its own", async () => {
    const [line = ""] = await linesOf({ format: "%U" }, "/x%0A127.0.0.1%20-%20root");
    expect(line).toBe("/x\\n127.0.0.1 - root\n");
  });

  test("a user's name is one field", async () => {
    const app = (request: GatewayRequest) => {
      withPrincipal(request, { user: 'ann "ü\n', type: "x", groups: [], claims: {} });
      return answer;
    };
    expect(await linesOf({ format: "%u" }, "/", {}, app)).toEqual(['ann\\x20\\"\\xc3\\xbc\\n\n']);
  });

  test("secrets in queries are hidden, in targets and referrers", async () => {
    const target = "/cb?code=first&x=1&Access_Token=second";
    const headers = { Referer: "http://x/?token=third&y=2" };
    const [line = ""] = await linesOf({}, target, { headers });
    expect(line).toContain('"GET /cb?code=***&x=1&Access_Token=*** HTTP/1.1"');
    expect(line).toContain('"http://x/?token=***&y=2"');
    const [json = ""] = await linesOf({ format: "json" }, target, { headers });
    expect(json).not.toMatch(/first|second|third/);
    const [shown = ""] = await linesOf({ secretParameters: ["x"] }, target);
    expect(shown).toContain("code=first&x=***&");
  });
});

test("names the user that an inner layer established", async () => {
  const app = (request: GatewayRequest) => {
    withPrincipal(request, { user: "ann", type: "x", groups: [], claims: {} });
    return answer;
  };
  expect(await linesOf({ format: "%u" }, "/", {}, app)).toEqual(["ann\n"]);
});

test("a broken answer is logged as broken, with what was sent", async () => {
  const app = () => ({
    ...answer,
    body: (function* () {
      yield new Uint8Array(3);
      throw new Error("broke");
    })(),
  });
  expect(await linesOf({ format: "%s %b %X" }, "/", {}, app)).toEqual(["200 3 X\n"]);
  expect(JSON.parse((await linesOf({ format: "json" }, "/", {}, app))[0] ?? "")).toMatchObject({ result: "cut" });
});

test("an error that is thrown past the layer is logged with the status that the client got", async () => {
  const app = () => {
    throw new Error("no");
  };
  expect(await linesOf({ format: "%s" }, "/", {}, app)).toEqual(["500\n"]);
});

test("a socket is logged when it ends, with status 101 and what was sent", async () => {
  const lines: string[] = [];
  const app = compose([accessLog({ format: "%s %b %m", destination: (line) => lines.push(line) })], () =>
    accept(async (peer) => {
      for await (const message of peer) await peer.send(message.text());
    }),
  );
  const socket = await openSocket(app);
  socket.send("hello");
  await socket.receive();
  expect(lines).toEqual([]);
  socket.close();
  await socket.ended;
  expect(lines).toEqual(["101 5 GET\n"]);
});

test("a dispatch inside the exchange makes no second line", async () => {
  const app = (request: GatewayRequest) =>
    request.kind === "http" && request.path === "/a"
      ? request.exchange.dispatch({ ...request, path: "/b", target: "/b" })
      : answer;
  expect(await linesOf({ format: "%r" }, "/a", {}, app)).toEqual(["GET /a HTTP/1.1\n"]);
});

test("skip leaves exchanges out", async () => {
  const skip: AccessLogOptions["skip"] = ({ path }, { status }) => path === "/health" && status === 200;
  expect(await linesOf({ skip }, "/health")).toEqual([]);
  expect(await linesOf({ skip }, "/other")).toHaveLength(1);
});

test("appends to a file, and opens it anew on reload, for rotation", async () => {
  const path = join(testFolder(), "access.log");
  const layer = accessLog({ format: "%U", destination: { path } });
  const running = await run(
    compose([layer], () => answer),
    { context: createContext() },
  );
  await running.request("/one");
  renameSync(path, `${path}.1`);
  await running.request("/two");
  await layer.reload?.();
  await running.request("/three");
  await running.stop();
  expect(readFileSync(`${path}.1`, "utf8")).toBe("/one\n/two\n");
  expect(readFileSync(path, "utf8")).toBe("/three\n");
});

test("a sync pipeline makes no promise", () => {
  const app = compose(
    [accessLog({ destination: () => {} }), accessLog({ format: "%{X}o", destination: () => {} })],
    () => answer,
  );
  expect(promisesMadeBy(() => void app.handle(testRequest()))).toBe(0);
});
