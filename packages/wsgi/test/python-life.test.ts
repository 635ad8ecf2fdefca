import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type App, createContext } from "@gw/core";
import { request } from "@gw/core/testing";
import { listeningContext } from "@gw-private/listening-context";
import { requires } from "@gw-private/requires";
import { afterEach, describe, expect } from "vitest";
import { type PythonWsgiOptions, pythonWsgi } from "../src/python.ts";
import { apps, start } from "./python-app.ts";

const withPython = requires("python3");
const stops: (() => unknown)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

const appOf = (name: string, options: PythonWsgiOptions = {}): App =>
  pythonWsgi(name, { cwd: apps, workers: 1, ...options });

withPython("start waits until the first worker is ready", async () => {
  const app = appOf("wsgi_apps:slow_import()");
  stops.push(() => app.stop?.(AbortSignal.timeout(5_000)));
  expect(app.status?.().state).toBe("starting");
  await app.start?.(createContext());
  expect(app.status?.()).toMatchObject({ state: "ready", facts: { workers: 1 } });
});

withPython(
  "start does not fail when the app cannot be loaded: the status says why, and it is tried again",
  async () => {
    const cwd = mkdtempSync(join(tmpdir(), "gw-life-"));
    stops.push(() => rmSync(cwd, { recursive: true }));
    writeFileSync(join(cwd, "late.py"), "import nothing_of_this_name\n");
    const app = appOf("late:app", { cwd, backOffMs: [50, 50] });
    stops.push(() => app.stop?.(AbortSignal.timeout(5_000)));
    const { context, logged } = listeningContext();
    await app.start?.(context);
    const status = app.status?.();
    expect(status?.state).toBe("failed");
    expect(status?.error).toMatch(/ModuleNotFoundError: No module named 'nothing_of_this_name' \(interpreter /);
    await logged(/late\.py", line 1, in <module>/);
    writeFileSync(join(cwd, "late.py"), "def app(environ, start):\n    start('200 OK', [])\n    return [b'here']\n");
    await expect.poll(() => app.status?.().state, { timeout: 5_000 }).toBe("ready");
  },
);

describe.each([
  ["in one thread", 1],
  ["in four threads", 4],
])("%s", (_where, threads) => {
  withPython("stop kills at its deadline what does not end by itself", async () => {
    const app = await start("loop", { threads, stopTimeoutMs: 60_000, timeoutMs: 0 });
    await app.request("/");
    const hung = app.request("/loop");
    await app.logged(/loops now/);
    await app.stop(AbortSignal.timeout(300));
    expect((await hung).status).toBe(502);
  });

  withPython("a deadline that has passed already is none to wait for", async () => {
    const app = await start("loop", { threads, stopTimeoutMs: 60_000, timeoutMs: 0 });
    const hung = app.request("/loop");
    await app.logged(/loops now/);
    await app.stop(AbortSignal.abort());
    expect((await hung).status).toBe(502);
  });
});

describe("R-W1: wsgi.multiprocess is true", () => {
  const multiprocess = async (options: PythonWsgiOptions, hasSiblings: boolean): Promise<string> => {
    const answer = await request(appOf("wsgi_apps:environ_text", options), "/", {
      context: createContext({ hasSiblings }),
    });
    return /^wsgi\.multiprocess=(\w+)$/m.exec(answer.text())?.[1] ?? "";
  };
  withPython("with several workers, and with gateway processes beside this one", async () => {
    expect(await multiprocess({}, false)).toBe("False");
    expect(await multiprocess({ workers: 2 }, false)).toBe("True");
    // Those that reload belong to each gateway process alone.
    expect(await multiprocess({ reload: true }, true)).toBe("True");
  });
});
