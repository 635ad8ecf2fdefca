import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requires } from "@gw-private/requires";
import { afterEach, describe, expect } from "vitest";
import type { PythonWsgiOptions } from "../src/python.ts";
import { type PythonTestApp, start } from "./python-app.ts";

const withPython = requires("python3");
const running: PythonTestApp[] = [];
const folders: string[] = [];

async function serve(app: string, options: PythonWsgiOptions = {}): Promise<PythonTestApp> {
  const one = await start(app, { backOffMs: [50, 100], ...options });
  running.push(one);
  return one;
}

/** A directory with one module, `site.py` would be Python's own. */
function folderWith(source: string): { cwd: string; write(source: string): void } {
  const cwd = mkdtempSync(join(tmpdir(), "gw-faults-"));
  folders.push(cwd);
  const write = (text: string): void => writeFileSync(join(cwd, "pages.py"), text);
  write(source);
  return { cwd, write };
}

const page = (text: string): string => `
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"${text}"]
`;

afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

describe.each([
  ["in one thread", 1],
  ["in four threads", 4],
])("R-W9: a worker %s", (_where, threads) => {
  withPython("that is killed in the middle of a request costs that request 502, and is replaced", async () => {
    const app = await serve("suicide", { threads });
    const first = (await app.request("/")).text();
    expect((await app.request("/die")).status).toBe(502);
    await app.logged(/was ended by SIGKILL/);
    await expect.poll(async () => (await app.request("/")).status).toBe(200);
    expect((await app.request("/")).text()).not.toBe(first);
  });

  withPython("that hangs is answered 504, shows its stack in the log, and is replaced", async () => {
    const app = await serve("loop", { threads, timeoutMs: 300, stopTimeoutMs: 500 });
    const first = (await app.request("/")).text();
    expect((await app.request("/loop")).status).toBe(504);
    await app.logged(/wsgi_apps\.py", line \d+ in loop/);
    await expect.poll(async () => (await app.request("/")).text()).not.toBe(first);
    expect((await app.request("/")).status).toBe(200);
  });

  withPython("is replaced after its number of requests, without a dropped one", async () => {
    const app = await serve("pid", { threads, maxRequests: 20 });
    const seen = new Set<string>();
    await expect
      .poll(
        async () => {
          const answer = await app.request("/");
          expect(answer.status).toBe(200);
          seen.add(answer.text());
          return seen.size;
        },
        { timeout: 10_000, interval: 1 },
      )
      .toBe(3);
  });

  withPython("finishes what is under way when the gateway stops", async () => {
    const app = await start("slow", { threads });
    await app.request("/?0");
    const answer = app.request("/?0.4");
    await new Promise((done) => setImmediate(() => setImmediate(done)));
    await app.stop();
    expect((await answer).status).toBe(200);
  });

  withPython("reloads under load without a failed request", async () => {
    const { cwd, write } = folderWith(page("old"));
    const app = await serve("pages:app", { threads, cwd, reload: true });
    expect((await app.request("/")).text()).toBe("old");
    write(`${page("new")}# longer\n`);
    const seen = new Set<string>();
    let requests = 0;
    await expect
      .poll(
        async () => {
          const answers = await Promise.all(Array.from({ length: 20 }, () => app.request("/")));
          requests += answers.length;
          expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
          for (const answer of answers) seen.add(answer.text());
          return [...seen].at(-1);
        },
        { timeout: 10_000, interval: 1 },
      )
      .toBe("new");
    expect(requests).toBeGreaterThan(20);
  });
});

withPython("requests that come while the only worker is started again wait for it", async () => {
  const app = await serve("suicide", { threads: 1, backOffMs: [200, 400] });
  await app.request("/");
  expect((await app.request("/die")).status).toBe(502);
  await app.logged(/was ended by SIGKILL/);
  const answers = await Promise.all(Array.from({ length: 20 }, () => app.request("/")));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
});

withPython("an app that cannot be imported is 503 with the traceback in the log, until it can", async () => {
  const { cwd, write } = folderWith("import nothing_of_this_name\n");
  const app = await serve("pages:app", { cwd, reload: true, backOffMs: [60_000, 60_000] });
  expect((await app.request("/")).status).toBe(503);
  await app.logged(/the app could not be imported: ModuleNotFoundError: .*nothing_of_this_name.*\(interpreter /);
  await app.logged(/pages\.py", line 1, in <module>/);
  write(page("here"));
  await expect.poll(async () => (await app.request("/")).status, { timeout: 5_000 }).toBe(200);
});

withPython("a reload that fails keeps the old code serving", async () => {
  const { cwd, write } = folderWith(page("old"));
  const app = await serve("pages:app", { cwd, reload: true });
  expect((await app.request("/")).text()).toBe("old");
  write("def app(:\n");
  await app.logged(/the old processes stay/);
  expect((await app.request("/")).text()).toBe("old");
  write(page("mended"));
  await expect.poll(async () => (await app.request("/")).text(), { timeout: 5_000 }).toBe("mended");
});

withPython("an app that is no app, and a factory that fails, are told apart", async () => {
  const { cwd } = folderWith("thing = 1\ndef create():\n    raise KeyError('no')\n");
  const thing = await serve("pages:thing", { cwd });
  expect((await thing.request("/")).status).toBe(503);
  await thing.logged(/pages:thing is no app: int is not callable/);
  const factory = await serve("pages:create()", { cwd });
  expect((await factory.request("/")).status).toBe(503);
  await factory.logged(/the app's factory failed: KeyError/);
});

withPython("R-W9: a full queue sheds with 503 and says when to come again", async () => {
  const app = await serve("slow", { threads: 1, maxQueued: 2 });
  await app.request("/?0");
  const answers = await Promise.all(Array.from({ length: 20 }, () => app.request("/?0.02")));
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status === 200).length).toBe(10);
  const shed = answers.find(({ status }) => status === 503);
  expect(shed?.headers.get("retry-after")).toBe("1");
});

withPython("an interpreter that is not there is 503, and says so", async () => {
  const app = await serve("hello", { python: "/nowhere/python3" });
  expect((await app.request("/")).status).toBe(503);
  await app.logged(/no interpreter for a Python app/);
});

withPython("two workers share the requests, and the death of one leaves the other", async () => {
  const app = await serve("suicide", { workers: 2, threads: 1, backOffMs: [5_000, 5_000] });
  const seen = new Set<string>();
  await expect
    .poll(async () => {
      for (const answer of await Promise.all([app.request("/"), app.request("/")])) seen.add(answer.text());
      return seen.size;
    })
    .toBe(2);
  expect((await app.request("/die")).status).toBe(502);
  expect((await app.request("/")).status).toBe(200);
});
