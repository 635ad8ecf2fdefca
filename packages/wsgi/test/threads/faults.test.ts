// What goes wrong on threads: each fault costs its own request.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pumpBody } from "@gw/core";
import { run, testRequest } from "@gw/core/testing";
import { expect, onTestFinished, test, vi } from "vitest";
import { wsgiThreads } from "../../src/wsgi-threads.ts";
import { startThreads } from "./start-threads.ts";

const quick = { timeoutMs: 150, backOffMs: [10, 50] } as const;
/** Of the sizes that a soak has. */
const SCALE = Number(process.env.GW_SOAK ?? 0.05);

test("R-W5: an error before the head is a 500 without detail; the thread's own stack is in the log", async () => {
  const { request: send } = await startThreads("site");
  const answer = await send("/throw");
  expect(answer.status).toBe(500);
  expect(answer.text()).not.toMatch(/broken|apps\.mjs/);
  expect(answer.outcome.error).toMatchObject({ name: "TypeError", message: "the app is broken" });
  expect((answer.outcome.error as Error).stack).toMatch(/apps\.mjs:\d+/);
  expect((await send("/thread")).status).toBe(200);
});

test("R-W5: an error after the head is a visible cut", async () => {
  const { request: send } = await startThreads("broken");
  const answer = await send("/");
  expect([answer.status, answer.text(), answer.outcome.result]).toEqual([200, "first", "cut"]);
  expect(answer.outcome.error).toMatchObject({ message: "in the middle" });
});

test("R-W9: an endless loop is answered 504, its thread replaced; what waited behind it is served", async () => {
  const { request: send, logged } = await startThreads("site", quick);
  const before = (await send("/thread")).text();
  const [hung, ...others] = await Promise.all([
    send("/loop"),
    ...["/thread", "/thread", "/thread"].map((path) => send(path)),
  ]);
  expect(hung?.status).toBe(504);
  expect(hung?.outcome.error).toMatchObject({ code: "GW_THREAD_TIMEOUT" });
  for (const other of others) expect([other.status, other.text() === before]).toEqual([200, false]);
  await logged(/the app hangs/);
});

test("R-W9: a loop after the head is a visible cut", async () => {
  const { request: send } = await startThreads("hangsLater", quick);
  const answer = await send("/");
  expect([answer.text(), answer.outcome.result]).toEqual(["first", "cut"]);
  expect(answer.outcome.error).toMatchObject({ code: "GW_THREAD_TIMEOUT" });
});

test("a thread that dies under load costs one request: 502; all others are answered", async () => {
  const { request: send, logged } = await startThreads("site", { ...quick, threads: 2, timeoutMs: 5_000 });
  const sent = Array.from({ length: 60 }, (_, at) => send(at === 20 || at === 40 ? "/exit" : "/thread"));
  const answers = await Promise.all(sent);
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status === 502)).toHaveLength(2);
  expect([statuses[20], statuses[40]]).toEqual([502, 502]);
  expect(statuses.filter((status) => status === 200)).toHaveLength(58);
  expect(answers[20]?.outcome.error).toMatchObject({ code: "GW_THREAD_DIED" });
  await logged(/exited with code 7/);
});

test("an error that an app leaves lying about costs nobody's request", async () => {
  const { request: send, logged } = await startThreads("site");
  const before = (await send("/thread")).text();
  expect((await send("/stray")).text()).toBe("ok");
  await logged(/outside of any request/);
  expect((await send("/thread")).text()).toBe(before);
});

test("an app that never reads a 100 MB body is answered at once, and the body is not read", async () => {
  const { request: send } = await startThreads("site", { threads: 2 });
  let pieces = 0;
  async function* body(): AsyncGenerator<Uint8Array> {
    for (; pieces < 1_600; pieces++) yield new Uint8Array(65_536);
  }
  const answer = await send("/unread", { method: "POST", body: body() });
  expect([answer.status, answer.text()]).toEqual([200, "not read"]);
  expect(pieces).toBeLessThan(10);
});

test("reading a body after the request is over is an error, and blocks no thread", async () => {
  const { request: send, logged } = await startThreads("site", { threads: 2, timeoutMs: 0 });
  const answer = await send("/readsLater", { method: "POST", body: new Uint8Array(100_000) });
  expect(answer.text()).toBe("ok");
  await logged(/outside of any request/);
  expect((await send("/thread")).status).toBe(200);
});

test("a body past the limit is a 413, whichever way it is read", async () => {
  for (const threads of [1, 2]) {
    const running = await run(wsgiThreads(`${import.meta.dirname}/apps.mjs:upload`, { threads }), {
      maxBodyBytes: 100_000,
    });
    async function* body(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < 10; at++) yield new Uint8Array(65_536);
    }
    expect((await running.request("/", { method: "POST", body: body() })).status).toBe(413);
    expect((await running.request("/", { method: "POST", body: new Uint8Array(200_000) })).status).toBe(413);
    expect((await running.request("/", { method: "POST", body: new Uint8Array(100_000) })).text()).toBe("100000");
    await running.stop();
  }
});

test("R-W7: a slow client holds no thread, and a window of its answer is in memory", async () => {
  const { app } = await startThreads("download");
  const slow = await app.handle(testRequest("/?size=100000000"));
  if (slow.kind !== "response") throw new Error("no response");
  const chunks = (slow.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  await chunks.next();
  const quickOne = await app.handle(testRequest("/?size=65536"));
  if (quickOne.kind !== "response") throw new Error("no response");
  const { bytesSent } = await pumpBody(quickOne, { write: () => {}, signal: new AbortController().signal });
  expect(bytesSent).toBe(65_536);
  await slow.close?.();
});

test("with maxStreams 1 a thread has one request at a time, answers included", async () => {
  const { app } = await startThreads("download", { maxStreams: 1, queueTimeoutMs: 60 });
  const slow = await app.handle(testRequest("/?size=100000000"));
  if (slow.kind !== "response") throw new Error("no response");
  await expect(app.handle(testRequest("/?size=1"))).rejects.toMatchObject({ code: "GW_THREAD_BUSY", status: 503 });
  await slow.close?.();
  expect(await app.handle(testRequest("/?size=1"))).toMatchObject({ status: 200 });
});

test("R-W3: the iterable is closed promptly when the client leaves, long before its end", async () => {
  const folder = await temporaryFolder();
  const note = join(folder, "note");
  const { app } = await startThreads("download");
  const leaving = new AbortController();
  const answer = await app.handle(testRequest(`/?size=1000000000&note=${note}`, { signal: leaving.signal }));
  if (answer.kind !== "response") throw new Error("no response");
  await (answer.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]().next();
  leaving.abort();
  await vi.waitFor(async () => {
    const [, bytes] = /^closed after (\d+)\n$/.exec(await readFile(note, "utf8")) ?? [];
    expect(Number(bytes)).toBeLessThan(2_000_000);
  });
});

test("a client that leaves inside its upload frees the thread", async () => {
  const { app, request: send } = await startThreads("upload", { threads: 2 });
  const leaving = new AbortController();
  const hold = new Promise<never>(() => {});
  async function* body(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(100_000);
    leaving.abort();
    await hold;
  }
  const left = app.handle(testRequest("/", { method: "POST", body: body(), signal: leaving.signal }));
  await expect(left).rejects.toMatchObject({ code: "GW_THREAD_GONE" });
  await vi.waitFor(() => expect(app.status?.().facts).toMatchObject({ active: 0 }));
  expect((await send("/", { method: "POST", body: "1" })).text()).toBe("1");
});

test("a client that leaves while it waits for a thread is not run at all", async () => {
  const { app, request: send } = await startThreads("site");
  const first = send("/sleep?100");
  const leaving = new AbortController();
  const second = app.handle(testRequest("/exit", { signal: leaving.signal }));
  leaving.abort();
  await expect(second).rejects.toMatchObject({ code: "GW_THREAD_GONE" });
  expect((await first).status).toBe(200);
  expect((await send("/thread")).status).toBe(200);
});

test("R-W9: a full queue sheds with 503 and Retry-After; a long wait does, too", async () => {
  const { request: send } = await startThreads("site", { maxQueued: 2, queueTimeoutMs: 50 });
  await send("/sleep?20"); // dear: nothing is given to the thread ahead
  const answers = await Promise.all(Array.from({ length: 5 }, () => send("/sleep?200")));
  const shed = answers.filter(({ status }) => status === 503);
  expect(shed).toHaveLength(4);
  for (const { headers, outcome } of shed) {
    expect(headers.get("retry-after")).toBe("1");
    expect(outcome.error).toMatchObject({ code: "GW_THREAD_BUSY" });
  }
});

test("a request that was given to a thread ahead does not wait there for longer than in the queue", async () => {
  const { request: send } = await startThreads("site", { queueTimeoutMs: 50 });
  for (let count = 0; count < 50; count++) await send("/thread");
  const [long, ...others] = await Promise.all([send("/sleep?400"), send("/thread"), send("/thread")]);
  expect([long?.status, ...others.map(({ status }) => status)]).toEqual([200, 503, 503]);
});

test("n threads run n blocking requests at the same time", async () => {
  const { request: send } = await startThreads("site", { threads: 4 });
  const answers = await Promise.all(Array.from({ length: 4 }, () => send("/sleep?100")));
  expect(new Set(answers.map((answer) => answer.text())).size).toBe(4);
});

test("a request behind one that turns out to be long goes to a thread that is free", async () => {
  const { request: send } = await startThreads("site", { threads: 2 });
  // Cheap ones, so that the pool gives each thread several ahead.
  for (let count = 0; count < 50; count++) await send("/thread");
  const [long, ...others] = await Promise.all([
    send("/sleep?400"),
    ...Array.from({ length: 6 }, () => send("/thread")),
  ]);
  for (const other of others) expect(other.text()).not.toBe(long?.text());
});

test("after maxRequests a thread is replaced, and no request is lost", async () => {
  const { request: send } = await startThreads("site", { maxRequests: 10 });
  const threads = new Set<string>();
  for (let round = 0; round < 8; round++) {
    const answers = await Promise.all(Array.from({ length: 10 }, () => send("/thread")));
    for (const answer of answers) {
      expect(answer.status).toBe(200);
      threads.add(answer.text());
    }
  }
  await vi.waitFor(async () => {
    threads.add((await send("/thread")).text());
    expect(threads.size).toBeGreaterThan(1);
  });
});

test("reload under load loses nothing", async () => {
  const { request: send, app } = await startThreads("site", { threads: 2 });
  const rounds = Math.max(2, Math.round(40 * SCALE));
  let answered = 0;
  let isOver = false;
  const load = Array.from({ length: 8 }, async () => {
    for (; !isOver; answered++) expect((await send("/thread")).status).toBe(200);
  });
  for (let round = 0; round < rounds; round++) await app.reload?.();
  isOver = true;
  await Promise.all(load);
  expect(answered).toBeGreaterThan(0);
});

test("an app that cannot be loaded answers 503, its stack is in the log, and it serves once it can", async () => {
  const folder = await temporaryFolder();
  const path = join(folder, "app.mjs");
  await writeFile(path, "import './missing.mjs';");
  const app = wsgiThreads(path, { backOffMs: [10, 20] });
  const running = await run(app);
  onTestFinished(() => running.stop());
  await vi.waitFor(() => expect(app.status?.().state).toBe("failed"));
  const answer = await running.request("/");
  expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
  expect(answer.outcome.error).toMatchObject({ code: "GW_THREAD_DOWN" });
  expect(app.status?.().error).toMatch(/Cannot find module/);
  await writeFile(join(folder, "missing.mjs"), "");
  await writeFile(path, "export default (e, start) => { start('200 OK', []); return [Buffer.from('there')]; };");
  await vi.waitFor(async () => expect((await running.request("/")).text()).toBe("there"));
});

test("a required app that cannot be loaded stops the gateway", async () => {
  const failing = wsgiThreads(`${import.meta.dirname}/apps.mjs:noFunction`, { required: true });
  await expect(run(failing)).rejects.toMatchObject({ code: "GW_THREAD_APP" });
  const missing = wsgiThreads(`${import.meta.dirname}/apps.mjs:nothing`, { required: true });
  await expect(run(missing)).rejects.toThrow(/no function "nothing"/);
});

test("an app that loads for ever is given up after startTimeoutMs", async () => {
  const folder = await temporaryFolder();
  const path = join(folder, "app.mjs");
  await writeFile(path, "for (;;);");
  await expect(run(wsgiThreads(path, { required: true, startTimeoutMs: 100 }))).rejects.toMatchObject({
    code: "GW_THREAD_DOWN",
  });
});

test("stop lets what is under way finish, and ends what does not", async () => {
  const first = await startThreads("site");
  await first.request("/thread");
  const sleeping = first.request("/sleep?100");
  await first.stop();
  expect((await sleeping).status).toBe(200);
  await expect(first.app.handle(testRequest("/thread"))).rejects.toMatchObject({ code: "GW_THREAD_DOWN" });
  const second = await startThreads("site", { timeoutMs: 0 });
  await second.request("/thread");
  const looping = second.request("/loop");
  await second.stop(AbortSignal.timeout(50));
  expect((await looping).status).toBe(502);
});

test("memory stays flat over a long answer and a long upload", async () => {
  const bytes = Math.round((2 ** 30 * SCALE) / 65_536) * 65_536;
  const { app } = await startThreads("download", { threads: 2 });
  const uploads = await startThreads("upload", { threads: 2 });
  const before = process.memoryUsage();
  const grown = (): number => {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers - before.heapUsed - before.arrayBuffers;
  };
  let most = 0;
  const answer = await app.handle(testRequest(`/?size=${bytes}`));
  if (answer.kind !== "response") throw new Error("no response");
  const sent = await pumpBody(answer, {
    write: () => {
      most = Math.max(most, grown());
    },
    signal: new AbortController().signal,
  });
  expect(sent.bytesSent).toBe(bytes);
  async function* body(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes; at += 65_536) {
      most = Math.max(most, grown());
      yield new Uint8Array(65_536);
    }
  }
  expect((await uploads.request("/", { method: "POST", body: body() })).text()).toBe(String(bytes));
  expect(most).toBeLessThan(200_000_000);
});

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gw-threads-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
