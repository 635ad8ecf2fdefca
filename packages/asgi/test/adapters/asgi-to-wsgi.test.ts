// asgiToWsgi: a sync face over an async app, on the main thread and on threads.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type App, createContext, gateway, layer, pumpBody, withPrincipal } from "@gw/core";
import { type RunningApp, run, testRequest } from "@gw/core/testing";
import { fromWsgi, validator, wsgiThreads } from "@gw/wsgi";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { type AsgiToWsgiOptions, asgiToWsgi } from "../../src/adapters/asgi-to-wsgi.ts";

const file = `${import.meta.dirname}/apps.mjs`;

async function start(name: string, options: AsgiToWsgiOptions = {}): Promise<RunningApp & { app: App }> {
  const app = fromWsgi(asgiToWsgi(`${file}:${name}`, options));
  const running = await run(app, { maxBodyBytes: 2 ** 30 });
  onTestFinished(() => running.stop(AbortSignal.timeout(200)));
  return { ...running, app };
}

describe("on the main thread", () => {
  let send: RunningApp["request"];
  let running: RunningApp;

  beforeAll(async () => {
    const app = asgiToWsgi(`${file}:site`);
    const { start: begin, stop } = app;
    running = await run(
      fromWsgi(Object.assign(validator(app), { ...(begin && { start: begin }), ...(stop && { stop }) })),
    );
    send = running.request;
  });
  afterAll(() => running.stop());

  test("the scope says what the environ says", async () => {
    const answer = await send("/scope?a=%20b", { method: "PUT", headers: [["X-One", "caf\u00e9"]], body: "x" });
    const scope = answer.json() as Record<string, unknown>;
    expect(scope).toMatchObject({ method: "PUT", path: "/scope", root_path: "", query: "a=%20b", http_version: "1.1" });
    expect(scope.names).toContainEqual(["x-one", "caf\u00e9"]);
  });

  test("bodies of any length go up and come down", async () => {
    for (const length of [0, 1, 65_536, 1_000_003]) {
      const body = Buffer.alloc(length, "0123456789\n");
      const answer = await send("/echo", { method: "POST", body });
      expect(Buffer.compare(answer.bytes, body)).toBe(0);
    }
    const streamed = await send("/echo", { method: "POST", body: [Buffer.from("one"), Buffer.from("two")] });
    expect(streamed.text()).toBe("onetwo");
  });

  test("an app that waits is waited for; early hints pass; the lifespan has run", async () => {
    expect((await send("/slow")).text()).toBe("slow");
    expect((await send("/life")).text()).toBe("started");
    const hinted = await send("/hints");
    expect([hinted.text(), hinted.earlyHints.map((hints) => hints.get("link"))]).toEqual([
      "hinted",
      ["</a.css>; rel=preload"],
    ]);
  });

  test("R-W5: an error before the head is a 500 with the app's stack in the log, after it a visible cut", async () => {
    const before = await send("/throws");
    expect(before.status).toBe(500);
    expect(before.outcome.error).toMatchObject({ name: "RangeError", message: "the app is broken" });
    expect((before.outcome.error as Error).stack).toMatch(/apps\.mjs/);
    const after = await send("/breaks");
    expect([after.status, after.text(), after.outcome.result]).toEqual([200, "first", "cut"]);
  });

  test("R-W3: close() is a disconnect for the app", async () => {
    const folder = await temporaryFolder();
    const note = join(folder, "note");
    const app = fromWsgi(asgiToWsgi(`${file}:site`));
    await app.start?.(createContext());
    onTestFinished(() => app.stop?.(AbortSignal.timeout(1_000)));
    const answer = await app.handle(testRequest(`/endless?${note}`));
    if (answer.kind !== "response") throw new Error("no response");
    (answer.body as Iterable<Uint8Array>)[Symbol.iterator]().next();
    await answer.close?.();
    await vi.waitFor(async () => expect(await readFile(note, "utf8")).toBe("http.disconnect\n"));
  });
});

test("the five-line app of the README answers, without a start, from a file URL", async () => {
  const application = asgiToWsgi(pathToFileURL(file));
  const { start: _start, ...withoutStart } = fromWsgi(application);
  const running = await run(withoutStart);
  onTestFinished(() => running.stop());
  expect((await running.request("/")).text()).toBe("Hello, World!");
});

test("answers that are walked at the same time share the thread", async () => {
  const { app } = await start("site");
  const answers = await Promise.all(["/large?1000000", "/large?1000000"].map((path) => app.handle(testRequest(path))));
  const chunks = answers.map((answer) => {
    if (answer.kind !== "response") throw new Error("no response");
    return (answer.body as Iterable<Uint8Array>)[Symbol.iterator]();
  });
  const bytes = [0, 0];
  for (let isMore = true; isMore; ) {
    isMore = false;
    for (const [at, one] of chunks.entries()) {
      const step = one.next();
      if (step.done) continue;
      isMore = true;
      bytes[at] = (bytes[at] as number) + step.value.length;
    }
  }
  expect(bytes).toEqual([16 * 65_536, 16 * 65_536]);
});

test("principal and mount cross over", async () => {
  const user = layer({
    name: "user",
    onRequest: (one) => withPrincipal(one, { user: "zoë", type: "form", groups: [], claims: {} }),
  });
  const running = await run(
    gateway()
      .use(user)
      .mount("/api", fromWsgi(asgiToWsgi(`${file}:site`))),
  );
  onTestFinished(() => running.stop());
  expect((await running.request("/api/scope")).json()).toMatchObject({ root_path: "/api", user: "zoë" });
});

test.each(["/loops", "/never"])("R-W9: %s is a 504 after timeoutMs, and the next call is answered", async (path) => {
  const { request: send } = await start("site", { timeoutMs: 200 });
  const answer = await send(path);
  expect([answer.status, answer.outcome.error]).toEqual([504, expect.objectContaining({ code: "GW_THREAD_TIMEOUT" })]);
  // Where the machine has much else to do, 200 ms may not be enough for a thread that has just begun.
  await expect.poll(async () => (await send("/slow")).text(), { timeout: 10_000 }).toBe("slow");
});

test("a thread that ends in a call is a 502 at once, and another takes its place", async () => {
  const { request: send } = await start("site");
  const answer = await send("/exits");
  expect([answer.status, answer.outcome.error]).toEqual([502, expect.objectContaining({ code: "GW_THREAD_DIED" })]);
  expect((await send("/life")).text()).toBe("started");
});

test("R-W8: shutdown runs at stop; a startup that fails stops the gateway", async () => {
  const folder = await temporaryFolder();
  vi.stubEnv("GW_TEST_LIFE", join(folder, "life"));
  const running = await run(fromWsgi(asgiToWsgi(`${file}:site`, { threads: 2 })));
  await running.stop();
  expect(await readFile(join(folder, "life"), "utf8")).toBe("stopped\nstopped\n");
  await expect(run(fromWsgi(asgiToWsgi(`${file}:failing`)))).rejects.toThrow("no database");
});

test("inside a thread of wsgiThreads it blocks that thread alone", async () => {
  const folder = await temporaryFolder();
  const path = join(folder, "app.mjs");
  const index = new URL("../../dist/index.js", import.meta.url).href;
  await writeFile(path, `import { asgiToWsgi } from "${index}"; export default asgiToWsgi("${file}:site");`);
  const running = await run(wsgiThreads(path, { threads: 2 }));
  onTestFinished(() => running.stop());
  expect((await running.request("/echo", { method: "POST", body: "through two threads" })).text()).toBe(
    "through two threads",
  );
  const large = await running.request("/large?3000000");
  expect(large.bytes.length).toBe(46 * 65_536);
});

test("memory stays flat while a long answer is walked", async () => {
  const { app } = await start("site");
  const answer = await app.handle(testRequest("/large?50000000"));
  if (answer.kind !== "response") throw new Error("no response");
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  const { bytesSent } = await pumpBody(answer, {
    write: () => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    },
    signal: new AbortController().signal,
  });
  expect(bytesSent).toBe(763 * 65_536);
  expect(most).toBeLessThan(60_000_000);
});

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gw-adapters-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
