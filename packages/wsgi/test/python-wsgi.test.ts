import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "@gw/core/testing";
import { requires } from "@gw-private/requires";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import type { PythonWsgiOptions } from "../src/python.ts";
import { pythonWsgi } from "../src/python.ts";
import { apps, type PythonTestApp, start } from "./python-app.ts";

const withPython = requires("python3");
const running: PythonTestApp[] = [];

async function serve(app: string, options: PythonWsgiOptions = {}): Promise<PythonTestApp> {
  const one = await start(app, options);
  running.push(one);
  return one;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
});

const folder = mkdtempSync(join(tmpdir(), "gw-wsgi-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function* chunks(count: number, bytes: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index++) yield new Uint8Array(bytes).fill(index);
}

describe.each([
  ["in one thread", 1],
  ["in four threads", 4],
])("a Python WSGI app %s", (_where, threads) => {
  withPython("answers", async () => {
    const app = await serve("hello", { threads });
    const answer = await app.request("/");
    expect(answer.status).toBe(200);
    expect([...answer.headers]).toEqual([["Content-Type", "text/plain"]]);
    expect(answer.text()).toBe("Hello, World!");
  });

  withPython("R-W1: has nothing that wsgiref.validate finds wrong with its server", async () => {
    const hello = await serve("validated_hello", { threads });
    expect((await hello.request("/a/b?c=d", { mount: "/a" })).text()).toBe("Hello, World!");
    const echo = await serve("validated_echo", { threads });
    for (const body of ["", "short", "x".repeat(100_000)]) {
      expect((await echo.request("/", { method: "POST", body })).text()).toBe(body);
    }
    expect(hello.log.join() + echo.log.join()).not.toContain("Traceback");
  });

  withPython("R-W1: gets the environ that PEP 3333 describes", async () => {
    const app = await serve("environ_text", { threads });
    const answer = await app.request("/app/caf%C3%A9/x?a=%20", {
      mount: "/app",
      headers: [
        ["X-A", "1"],
        ["x-a", "\u00e9"],
        ["Proxy", "p"],
        ["Remote-User", "eve"],
        ["Cookie", "a=1"],
        ["Cookie", "b=2"],
      ],
      principal: { user: "안녕", type: "Basic", groups: [], claims: {} },
    });
    const environ = Object.fromEntries(
      answer
        .text()
        .split("\n")
        .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
    expect(environ).toMatchObject({
      SCRIPT_NAME: "'/app'",
      PATH_INFO: "'/cafÃ©/x'",
      QUERY_STRING: "'a=%20'",
      HTTP_X_A: "'1, é'",
      HTTP_COOKIE: "'a=1; b=2'",
      REMOTE_USER: "'ì\\x95\\x88ë\\x85\\x95'",
      AUTH_TYPE: "'Basic'",
      SERVER_PORT: "'80'",
      "wsgi.version": "(1, 0)",
      "wsgi.url_scheme": "'http'",
      "wsgi.multithread": threads > 1 ? "True" : "False",
      "wsgi.multiprocess": "False",
      "wsgi.run_once": "False",
      "wsgi.input_terminated": "True",
    });
    expect(environ).not.toHaveProperty("HTTP_PROXY");
    expect(environ).not.toHaveProperty("GATEWAY_INTERFACE");
  });

  withPython("reads lines of a body, across chunks", async () => {
    const app = await serve("lines", { threads });
    const text = ["ab", "c\ndefg", "h\n", "i\nj", "k"];
    const body = (async function* () {
      for (const one of text) yield Buffer.from(one);
    })();
    expect((await app.request("/", { method: "POST", body })).text()).toBe(
      "[b'abc\\n', b'def', b'gh\\n', b'i\\n', b'jk', b'', b'']",
    );
  });

  withPython("echoes a body without a length, chunk by chunk", async () => {
    const app = await serve("echo", { threads });
    const answer = await app.request("/", { method: "POST", body: chunks(40, 10_000) });
    expect(answer.bytes.length).toBe(400_000);
    expect(answer.bytes[399_999]).toBe(39);
  });

  withPython("R-W7: takes 20 MB up and gives 20 MB down", async () => {
    const up = await serve("count", { threads });
    const body = chunks(320, 65_536);
    expect((await up.request("/", { method: "POST", body, maxBodyBytes: 30_000_000 })).text()).toBe("20971520");
    const down = await serve("large", { threads });
    expect((await down.request("/?20971520")).bytes.length).toBe(20_971_520);
    const whole = await serve("one_piece", { threads });
    expect((await whole.request("/?20971520")).bytes.length).toBe(20_971_520);
  });

  withPython("answers 413 for a body that is larger than the limit, while the app reads it", async () => {
    const app = await serve("count", { threads });
    expect((await app.request("/", { method: "POST", body: chunks(20, 65_536), maxBodyBytes: 500_000 })).status).toBe(
      413,
    );
    expect((await app.request("/", { method: "POST", body: "abc" })).text()).toBe("3");
  });

  withPython("answers although the app never reads the body, and goes on", async () => {
    const app = await serve("hello", { threads });
    const body = chunks(1_600, 65_536);
    expect((await app.request("/", { method: "POST", body, maxBodyBytes: 200_000_000 })).text()).toBe("Hello, World!");
    expect((await app.request("/")).text()).toBe("Hello, World!");
  });

  withPython("R-W4: blocks that are there already leave as one piece, others each for itself", async () => {
    const app = await serve("blocks", { threads });
    const path = join(folder, `blocks-${threads}`);
    const pieces = async (query: string): Promise<(string | number)[]> => {
      const found: (string | number)[] = [];
      const onChunk = (chunk: Uint8Array): void => {
        found.push(chunk.length > 100 ? chunk.length : Buffer.from(chunk).toString());
      };
      const { outcome } = await app.request(`/?${query}`, { onChunk });
      return [...found, outcome.result];
    };
    expect(await pieces("list")).toEqual(["one two three", "sent"]);
    expect(await pieces("tuple")).toEqual(["one two three", "sent"]);
    expect(await pieces("subclass")).toEqual(["one two", "sent"]);
    expect(await pieces("empty")).toEqual(["sent"]);
    expect(await pieces(`memory&${path}`)).toEqual(["one two three", "sent"]);
    await expect.poll(() => readFileSync(path, "utf8")).toBe("closed\n"); // after the answer
    expect(await pieces("generator")).toEqual(["one ", "two ", "three", "sent"]);
    const [first, ...rest] = (await pieces("long")).filter((piece) => typeof piece === "number");
    expect(first).toBeLessThanOrEqual(40_000); // how a long block is cut is the socket's business
    expect(rest.reduce((sum, size) => sum + size, first as number)).toBe(80_000);
    expect((await pieces("text")).at(-1)).toBe("cut");
  });

  withPython("sends what write() was given before the iterable", async () => {
    const app = await serve("written", { threads });
    expect((await app.request("/")).text()).toBe("one two three");
  });

  withPython("sends a file through wsgi.file_wrapper and closes it", async () => {
    const app = await serve("file", { threads });
    expect((await app.request("/")).text()).toBe(readFileSync(`${import.meta.dirname}/python/wsgi_apps.py`, "utf8"));
  });

  withPython("sends 103 Early Hints", async () => {
    const app = await serve("hints", { threads });
    const answer = await app.request("/");
    expect(answer.earlyHints.map((one) => one.get("link"))).toEqual(["</a.css>; rel=preload"]);
    expect(answer.text()).toBe("hinted");
  });

  withPython("R-W2: replaces a head that has not gone out, and raises once it has", async () => {
    const replaced = await (await serve("replaced", { threads })).request("/");
    expect([replaced.status, replaced.headers.get("content-type"), replaced.text()]).toEqual([
      500,
      "text/x-error",
      "replaced",
    ]);
    const late = await (await serve("too_late", { threads })).request("/");
    expect([late.status, late.text(), late.outcome.result]).toEqual([200, "some", "cut"]);
  });

  withPython("R-W5: an exception is 500 without detail before the head, and a cut answer after it", async () => {
    const app = await serve("fails", { threads });
    for (const where of ["before", "started"]) {
      const answer = await app.request(`/?${where}`);
      expect(answer.status).toBe(500);
      expect(answer.text()).not.toContain("secret");
    }
    const cut = await app.request("/?body");
    expect([cut.status, cut.text(), cut.outcome.result]).toEqual([200, "some ", "cut"]);
    await app.logged(/ValueError: secret of the app/);
    await app.logged(/Exception in GET \/\?before/);
  });

  withPython("R-W4: what PEP 3333 forbids is 500, and the worker lives", async () => {
    const app = await serve("misuse", { threads });
    for (const one of ["twice", "no-start", "text", "status", "headers", "value", "newline", "hop", "short", "none"]) {
      const answer = await app.request(`/?${one}`);
      expect([one, answer.status]).toEqual([one, 500]);
    }
    expect((await app.request("/")).status).toBe(500); // no start_response: the case is unknown
  });

  withPython("R-W3: calls close() promptly when the client is gone", async () => {
    const path = join(folder, `closed-${threads}`);
    const app = await serve("endless", { threads });
    const gone = new AbortController();
    const answer = await app.request(`/?${path}`, { signal: gone.signal, onChunk: () => gone.abort() });
    expect(answer.outcome.result).toBe("gone");
    await expect.poll(() => readFileSync(path, { encoding: "utf8", flag: "a+" })).toBe("closed\n");
  });

  withPython("an answer to HEAD has no body and keeps its length", async () => {
    const app = await serve("one_piece", { threads });
    const answer = await app.request("/?1000", { method: "HEAD" });
    expect([answer.headers.get("content-length"), answer.bytes.length]).toEqual(["1000", 0]);
  });

  withPython("serves many requests at once, each with its own answer", async () => {
    const app = await serve("echo", { threads });
    const bodies = Array.from({ length: 100 }, (_, index) => `body ${index} `.repeat(index));
    const answers = await Promise.all(bodies.map((body) => app.request("/", { method: "POST", body })));
    expect(answers.map((answer) => answer.text())).toEqual(bodies);
  });
});

withPython("loads an app from a factory, and one that is an attribute of something", async () => {
  expect((await (await serve("create()")).request("/")).text()).toBe("made by a factory");
  expect((await (await serve("Site.app")).request("/")).text()).toBe("Hello, World!");
});

withPython("what the app prints and logs is in the gateway's log", async () => {
  const app = await serve("logs");
  await app.request("/");
  await app.logged(/^a line of the app$/);
  await app.logged(/^printed by the app$/);
});

withPython("threads wait side by side", async () => {
  const app = await serve("slow", { threads: 16 });
  await app.request("/?0.001");
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: 16 }, () => app.request("/?0.3")));
  expect(performance.now() - startedAt).toBeLessThan(1_500);
});

test.each([
  ["module", {}],
  ["mod:app; rm", {}],
  ["mod:app", { workers: 0 }],
  ["mod:app", { timeoutMs: 0.5 }],
])("refuses %j with %j before anything starts", (app, options) => {
  expect(() => pythonWsgi(app, options)).toThrow(expect.objectContaining({ code: "GW_PYTHON_OPTION" }));
});

withPython("starts again after it was stopped", async () => {
  const app = pythonWsgi("wsgi_apps:hello", { cwd: apps, workers: 1 });
  for (let time = 0; time < 2; time++) {
    const one = await run(app);
    expect((await one.request("/")).text()).toBe("Hello, World!");
    await one.stop();
  }
});
