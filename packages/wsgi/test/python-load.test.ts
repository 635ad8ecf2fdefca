// Faults and reloads under load. GW_SOAK=1 is the whole of it; by default a twentieth runs.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createContext } from "@gw/core";
import { run } from "@gw/core/testing";
import { requires } from "@gw-private/requires";
import { afterEach, describe, expect } from "vitest";
import { type PythonWsgiOptions, pythonWsgi } from "../src/python.ts";
import { type PythonTestApp, start } from "./python-app.ts";

const withPython = requires("python3");
const scale = Number(process.env.GW_SOAK ?? 0.05);
const running: { stop(): Promise<void> }[] = [];
const CLIENTS = 8;

async function serve(app: string, options: PythonWsgiOptions): Promise<PythonTestApp> {
  const one = await start(app, { backOffMs: [20, 50], ...options });
  running.push(one);
  return one;
}

/** Clients that ask one request after the other until told to end; what they were answered. */
function load(ask: () => Promise<string>): { readonly answers: readonly string[]; end(): Promise<void> } {
  const answers: string[] = [];
  let isOver = false;
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (!isOver) {
      answers.push(await ask());
      await new Promise((done) => setImmediate(done)); // a socket would let others in, too
    }
  });
  return {
    answers,
    async end() {
      isOver = true;
      await Promise.all(clients);
    },
  };
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
});

describe.each([
  ["in one thread", 1],
  ["in four threads", 4],
])("workers %s", (_where, threads) => {
  withPython(
    "R-O2: reload again and again under load, and no request fails",
    async () => {
      const reloads = Math.ceil(400 * scale);
      const cwd = mkdtempSync(join(tmpdir(), "gw-reload-"));
      try {
        const page = (version: number): void =>
          writeFileSync(
            join(cwd, "page.py"),
            `def app(environ, start):\n    start("200 OK", [])\n    return [b"v${version}"]\n`,
          );
        page(0);
        // Each version has its own size or second, or Python would take its compiled form for the new one.
        const app = pythonWsgi("page:app", { cwd, workers: 1, threads, env: { PYTHONDONTWRITEBYTECODE: "1" } });
        const one = await run(app, { context: createContext() });
        running.push(one);
        const clients = load(async () => {
          const answer = await one.request("/");
          return answer.status === 200 ? answer.text() : String(answer.status);
        });
        for (let version = 1; version <= reloads; version++) {
          page(version);
          await app.reload?.();
          expect((await one.request("/")).text()).toBe(`v${version}`);
        }
        await clients.end();
        expect(clients.answers.filter((text) => !text.startsWith("v"))).toEqual([]);
        expect(clients.answers.length).toBeGreaterThan(reloads);
        if (scale >= 1) console.log(`${reloads} reloads, ${clients.answers.length} requests, 0 failed`);
      } finally {
        rmSync(cwd, { recursive: true });
      }
    },
    20_000 + 600_000 * scale,
  );

  withPython(
    "R-O5: a worker killed with -9 under load costs what it had in hand, and nothing else",
    async () => {
      const kills = Math.ceil(100 * scale);
      const app = await serve("pid", { workers: 2, threads });
      const clients = load(async () => {
        const answer = await app.request("/");
        return answer.status === 200 ? answer.text() : String(answer.status);
      });
      const killed = new Set<string>();
      for (let count = 0; count < kills; count++) {
        const from = clients.answers.length;
        const fresh = (): string[] =>
          clients.answers.slice(from).filter((text) => text.length !== 3 && !killed.has(text));
        await expect.poll(() => fresh().length, { timeout: 10_000 }).toBeGreaterThan(100);
        const pid = fresh().at(-1) as string;
        process.kill(Number(pid), "SIGKILL");
        killed.add(pid);
      }
      await expect.poll(() => app.log.filter((line) => /was ended by SIGKILL/.test(line)).length).toBe(kills);
      await clients.end();
      const failed = clients.answers.filter((text) => text.length === 3);
      expect(failed.every((status) => status === "502")).toBe(true);
      expect(failed.length).toBeLessThanOrEqual(kills * CLIENTS);
      expect((await app.request("/")).status).toBe(200);
      if (scale >= 1) console.log(`${kills} kills, ${clients.answers.length} requests, ${failed.length} were 502`);
    },
    20_000 + 600_000 * scale,
  );
});

withPython("R-W9: with one thread, too, a slow upload blocks nobody", async () => {
  const app = await serve("count", { threads: 1 });
  let go = (): void => {};
  const gate = new Promise<void>((done) => {
    go = done;
  });
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("begun ");
    await gate;
    yield Buffer.from("ended");
  }
  const slow = app.request("/", { method: "POST", body: body() });
  for (let count = 0; count < 3; count++) expect((await app.request("/")).text()).toBe("0");
  go();
  expect((await slow).text()).toBe("11");
});

withPython("R-W7: an app waits for a client that does not read, and others are answered meanwhile", async () => {
  const app = await serve("counted", { threads: 4 });
  let go = (): void => {};
  const gate = new Promise<void>((done) => {
    go = done;
  });
  const gone = new AbortController();
  const slow = app.request("/", { onChunk: () => gate, signal: gone.signal });
  let before = -1;
  // What was made stops growing: two looks that agree, with other requests between them.
  for (let same = 0; same < 20; ) {
    const made = Number((await app.request("/made")).text());
    same = made > 0 && made === before ? same + 1 : 0;
    before = made;
  }
  expect(before).toBeLessThan(1_000_000);
  gone.abort();
  go();
  expect((await slow).outcome.result).toBe("gone");
});
