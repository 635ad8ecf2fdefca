// Python apps without a Python: Pyodide in a thread of the gateway.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requires } from "@gw-private/requires";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type PythonWsgiOptions, pythonWsgi } from "../src/python.ts";
import { apps, type PythonTestApp, start } from "./python-app.ts";

/** Made by `.ci/run`; only its packages are used. */
const venv = join(import.meta.dirname, "../../../node_modules/.cache/python");
const stops: (() => unknown)[] = [];

async function serve(app: string, options: PythonWsgiOptions = {}): Promise<PythonTestApp> {
  const one = await start(app, { engine: "wasm", ...options });
  stops.push(() => one.stop());
  return one;
}

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

// The five lines of the README, as they are.
const FIVE_LINES = `def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b"Hello, World!"]
`;

function folderWith(name: string, source: string): { cwd: string; write(source: string): void } {
  const cwd = mkdtempSync(join(tmpdir(), "gw-wasm-"));
  stops.push(() => rmSync(cwd, { recursive: true }));
  const write = (text: string): void => writeFileSync(join(cwd, name), text);
  write(source);
  return { cwd, write };
}

/** Starting an interpreter takes 2 s on a quiet machine; these tests start two or three. */
const SLOW = { timeout: 45_000 };

test(
  "an app runs in WebAssembly, keeps running when a change breaks it, and is replaced when it is mended",
  SLOW,
  async () => {
    const { cwd, write } = folderWith("hello.py", FIVE_LINES);
    const app = await serve("hello:application", { cwd, reload: true });
    const answer = await app.request("/");
    expect([answer.status, answer.headers.get("content-type"), answer.text()]).toEqual([
      200,
      "text/plain",
      "Hello, World!",
    ]);
    write("import nothing_of_this_name\n");
    await app.logged(/the old processes stay.*No module named 'nothing_of_this_name'/);
    await app.logged(/hello\.py", line 1, in <module>/);
    expect((await app.request("/")).text()).toBe("Hello, World!");
    write(FIVE_LINES.replace("World", "Again"));
    await expect
      .poll(
        async () => {
          const next = await app.request("/");
          expect(next.status).toBe(200); // no request is dropped
          return next.text();
        },
        { timeout: 30_000 },
      )
      .toBe("Hello, Again!");
  },
);

describe("one interpreter", () => {
  let app: PythonTestApp;
  beforeAll(async () => {
    app = await start("many", { engine: "wasm", timeoutMs: 3_000, stopTimeoutMs: 5_000, backOffMs: [50, 100] });
  }, 60_000);
  afterAll(() => app.stop());

  test("R-W7: bodies go up whole and come down in pieces", async () => {
    const body = Buffer.alloc(5_000_000, "0123456789");
    expect((await app.request("/count", { method: "POST", body })).text()).toBe("5000000");
    expect((await app.request("/large?20971520")).bytes.length).toBe(20_971_520);
  });

  test("R-W5: an exception is 500, or a cut answer, and its traceback is in the log", async () => {
    expect((await app.request("/fails?before")).status).toBe(500);
    const cut = await app.request("/fails?body");
    expect([cut.status, cut.text(), cut.outcome.result]).toEqual([200, "some ", "cut"]);
    await app.logged(/ValueError: secret of the app/);
  });

  test("R-W3: calls close() when the client is gone, and serves the next one", async () => {
    const gone = new AbortController();
    const answer = await app.request("/tracked", { signal: gone.signal, onChunk: () => gone.abort() });
    expect(answer.outcome.result).toBe("gone");
    expect((await app.request("/closed")).text()).toBe("1");
  });

  test("R-W9: a request that hangs is interrupted: 504, its stack in the log, a new interpreter", SLOW, async () => {
    expect((await app.request("/loop")).status).toBe(504);
    await app.logged(/wsgi_apps\.py", line \d+, in loop/);
    await app.logged(/KeyboardInterrupt/);
    expect((await app.request("/closed")).text()).toBe("0");
  });
});

test("R-W9: an app that takes an interrupt for its own is ended", SLOW, async () => {
  const { cwd } = folderWith(
    "stubborn.py",
    `def application(environ, start_response):
    while environ["PATH_INFO"] == "/loop":
        try:
            while True:
                pass
        except BaseException:
            pass
    start_response("200 OK", [])
    return [b"new"]
`,
  );
  const app = await serve("stubborn:application", { cwd, timeoutMs: 500, backOffMs: [50, 100] });
  expect((await app.request("/loop")).status).toBe(504);
  await expect.poll(async () => (await app.request("/")).text(), { timeout: 30_000 }).toBe("new");
});

requires(join(venv, "sources"))(
  "Flask runs from the pure Python packages of a virtual environment",
  async () => {
    const app = await serve("flask_app:app", { venv });
    const principal = { user: "ann", type: "form", groups: [], claims: {} };
    expect((await app.request("/app/", { mount: "/app", principal })).text()).toBe("Hello, ann!");
    expect((await app.request("/stream")).text().split("\n").length).toBe(1_001);
  },
  60_000,
);

test("threads there are none, and more of them are refused before anything starts", () => {
  expect(() => pythonWsgi("hello:app", { engine: "wasm", threads: 4 })).toThrow(
    expect.objectContaining({ code: "GW_PYTHON_OPTION" }),
  );
  const app = pythonWsgi("hello:app", { engine: "wasm", cwd: apps });
  expect(app.describe?.()).toMatchObject({ kind: "python wsgi", facts: { engine: "wasm" } });
});
