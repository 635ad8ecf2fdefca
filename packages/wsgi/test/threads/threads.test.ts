// Apps on threads: what a request and an answer are there.
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { compose, gateway, type HeaderList, layer, withPrincipal } from "@gw/core";
import { request, run } from "@gw/core/testing";
import { expect, onTestFinished, test, vi } from "vitest";
import { wsgiThreads } from "../../src/wsgi-threads.ts";
import { startThreads } from "./start-threads.ts";

const file = `${import.meta.dirname}/apps.mjs`;

test("PEP 3333's own five lines answer from a thread", async () => {
  const { request: send } = await startThreads();
  const answer = await send("/");
  expect([answer.status, answer.headers.get("content-type"), answer.text()]).toEqual([
    200,
    "text/plain",
    "Hello, World!",
  ]);
});

test("a file URL names the app, its fragment the export", async () => {
  const url = pathToFileURL(file);
  url.hash = "upload";
  expect((await request(wsgiThreads(url), "/", { method: "POST", body: "12345" })).text()).toBe("5");
  expect((await request(wsgiThreads(pathToFileURL(file)), "/")).text()).toBe("Hello, World!");
});

test("R-W1: the environ is complete across threads, bytes and all", async () => {
  const { request: send } = await startThreads("site");
  const answer = await send("/environ?a=%20b", {
    method: "PUT",
    headers: [
      ["X-Twice", "1"],
      ["X-Twice", "caf\u00e9"],
      ["Content-Type", "a/b"],
    ],
    body: "body",
    client: { host: "::1", port: 9 },
  });
  expect(answer.json()).toMatchObject({
    REQUEST_METHOD: "PUT",
    SCRIPT_NAME: "",
    PATH_INFO: "/environ",
    QUERY_STRING: "a=%20b",
    SERVER_NAME: "localhost",
    SERVER_PORT: "80",
    SERVER_PROTOCOL: "HTTP/1.1",
    REMOTE_ADDR: "::1",
    REMOTE_PORT: "9",
    CONTENT_TYPE: "a/b",
    CONTENT_LENGTH: "4",
    HTTP_X_TWICE: "1, caf\u00e9",
    "wsgi.url_scheme": "http",
    "wsgi.multithread": true,
    "wsgi.multiprocess": false,
    "wsgi.run_once": false,
    "wsgi.input_terminated": true,
    version: [1, 0],
  });
});

test("R-C6: principal, mount and a mount's variables cross over; so do keys, as a copy", async () => {
  const user = layer({
    name: "user",
    onRequest: (one) => withPrincipal(one, { user: "zoë", type: "form", groups: [], claims: {} }),
  });
  const app = wsgiThreads(`${file}:site`, {
    keys: ({ principal }) => ({ "app.session": { cart: [principal?.user] } }),
  });
  const mounted = gateway().mount("/shop", compose([user], app), { variables: () => ({ TENANT: "käse" }) });
  const answer = await request(mounted, "/shop/environ");
  const text = (value: string): string => Buffer.from(value, "latin1").toString();
  const environ = answer.json() as Record<string, string>;
  expect(text(environ.REMOTE_USER as string)).toBe("zoë");
  expect(environ).toMatchObject({ SCRIPT_NAME: "/shop", PATH_INFO: "/environ", AUTH_TYPE: "form" });
  expect(text(environ.TENANT as string)).toBe("käse");
  expect(environ.session).toEqual({ cart: ["zoë"] });
});

test("keys may not replace those of the interface", async () => {
  for (const name of ["wsgi.input", "REMOTE_USER"]) {
    const answer = await request(wsgiThreads(`${file}:site`, { keys: () => ({ [name]: 1 }) }), "/thread");
    expect(answer.outcome.error).toMatchObject({ code: "GW_THREAD_KEYS" });
  }
});

test.each([{ threads: 1 }, { threads: 2 }])(
  "bodies of any length go up and come down, $threads threads",
  async (options) => {
    const { request: send } = await startThreads("site", options);
    for (const length of [0, 1, 16_384, 16_385, 200_000, 1_000_003]) {
      const body = Buffer.alloc(length, "0123456789\n");
      const whole = await send("/echo", { method: "POST", body });
      expect(whole.bytes.length).toBe(length);
      expect(Buffer.compare(whole.bytes, body)).toBe(0);
      const streamed = await send("/echo", { method: "POST", body: [body.subarray(0, 7), body.subarray(7)] });
      expect(Buffer.compare(streamed.bytes, body)).toBe(0);
      expect(whole.headers.get("content-length")).toBe(length > 65_536 ? String(length) : null);
    }
    const lines = await send("/lines", { method: "POST", body: "one\ntwo\nthree" });
    expect(lines.json()).toEqual([4, 4, 5]);
  },
);

test("a thread reads the first piece of an upload before the client sends the second", async () => {
  const { request: send } = await startThreads("chat", { threads: 2 });
  let arrived = (): void => {};
  const first = new Promise<void>((done) => {
    arrived = done;
  });
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("one\n");
    await first;
    yield Buffer.from("two\n");
  }
  const chunks: string[] = [];
  await send("/", {
    method: "POST",
    body: body(),
    onChunk: (chunk) => {
      chunks.push(Buffer.from(chunk).toString());
      if (chunks.includes("one\n")) arrived();
    },
  });
  expect(chunks.join("|")).toBe("ready|one\n|two\n");
});

test("early hints, file_wrapper and exc_info work in a thread", async () => {
  const { request: send } = await startThreads("extras");
  const answer = await send("/");
  expect(answer.earlyHints.map((hints) => hints.get("link"))).toEqual(["</a.css>; rel=preload"]);
  expect([answer.status, answer.headers.get("x-first")]).toEqual([200, null]);
  expect(answer.text()).toBe(readFileSync(file, "utf8"));
});

test("HEAD has the head of GET and no body, and the iterable is closed", async () => {
  const folder = await temporaryFolder();
  const { request: send } = await startThreads("download");
  const answer = await send(`/?size=1000000&note=${join(folder, "note")}`, { method: "HEAD" });
  expect([answer.status, answer.bytes.length]).toEqual([200, 0]);
  await vi.waitFor(async () => expect(await readFile(join(folder, "note"), "utf8")).toMatch(/^closed after \d+\n$/));
});

test("write() sends while the app still runs", async () => {
  const { request: send } = await startThreads("writer");
  const answer = await send("/?3000000");
  expect(answer.bytes.length).toBe(46 * 65_536 + 3);
});

test("wsgi.errors goes to the log line by line", async () => {
  const { request: send, log } = await startThreads("site");
  await send("/errors");
  expect(log).toEqual(expect.arrayContaining(["first line", "second line"]));
});

test("timers of the app run while it serves", async () => {
  const { request: send } = await startThreads("site");
  await vi.waitFor(async () => {
    const { ticks } = (await send("/late")).json() as { ticks: number };
    expect(ticks).toBeGreaterThan(1);
  });
});

test("start and stop that hang on the function run in the thread", async () => {
  const folder = await temporaryFolder();
  vi.stubEnv("GW_TEST_LIFE", join(folder, "life"));
  const { request: send, stop } = await startThreads("living");
  expect((await send("/")).text()).toBe("started");
  await stop();
  expect(await readFile(join(folder, "life"), "utf8")).toBe("stopped\n");
});

test("reload replaces threads that are still loading: they may have read old files", async () => {
  const folder = await temporaryFolder();
  const path = join(folder, "app.mjs");
  const gate = join(folder, "gate");
  // The second thread to come waits, with what it has read, until the gate is there.
  await writeFile(
    path,
    `import { existsSync, readFileSync, appendFileSync } from "node:fs";
const word = readFileSync(${JSON.stringify(join(folder, "word"))}, "utf8");
appendFileSync(${JSON.stringify(join(folder, "loads"))}, "x");
const isLate = readFileSync(${JSON.stringify(join(folder, "loads"))}, "utf8").length === 2;
while (isLate && !existsSync(${JSON.stringify(gate)})) await new Promise((done) => setTimeout(done, 5));
export default (e, start) => (start("200 OK", []), [Buffer.from(word)]);`,
  );
  await writeFile(join(folder, "word"), "first");
  const app = wsgiThreads(path, { threads: 2 });
  const running = await run(app);
  onTestFinished(() => running.stop());
  await expect.poll(() => readFileSync(join(folder, "loads"), "utf8").length).toBe(2);
  await writeFile(join(folder, "word"), "second");
  await app.reload?.();
  await writeFile(gate, "");
  const said = async (): Promise<string> => (await running.request("/")).text();
  for (let at = 0; at < 20; at++) expect(await said()).toBe("second");
  await expect.poll(() => app.status?.().facts?.threads).toBe(2);
  expect(await Promise.all(Array.from({ length: 20 }, said))).toEqual(Array.from({ length: 20 }, () => "second"));
});

test("reload loads the app anew, and what it imports; a broken one leaves the old one in place", async () => {
  const folder = await temporaryFolder();
  const path = join(folder, "app.mjs");
  await writeFile(join(folder, "word.mjs"), "export default 'first';");
  await writeFile(
    path,
    "import word from './word.mjs'; export default (e, start) => (start('200 OK', []), [Buffer.from(word)]);",
  );
  const app = wsgiThreads(path, { threads: 2 });
  const running = await run(app);
  onTestFinished(() => running.stop());
  expect((await running.request("/")).text()).toBe("first");
  await writeFile(join(folder, "word.mjs"), "export default 'second';");
  await app.reload?.();
  expect((await running.request("/")).text()).toBe("second");
  await writeFile(join(folder, "word.mjs"), "export default (;");
  await expect(app.reload?.()).rejects.toMatchObject({ name: "SyntaxError" });
  expect((await running.request("/")).text()).toBe("second");
});

test("describe and status tell what runs", async () => {
  const { app, request: send } = await startThreads("default", { threads: 2, name: "shop" });
  await send("/");
  expect(app.status?.()).toMatchObject({ state: "ready", error: null, facts: { threads: 2, queued: 0 } });
  expect(app.describe?.()).toEqual({ kind: "wsgi", name: "shop", facts: { threads: 2 } });
});

test("an equal head keeps its list, so that carriers check it once", async () => {
  const seen = new Set<HeaderList>();
  const look = layer({
    name: "look",
    onResponse: (answer) => {
      seen.add(answer.headers);
      return answer;
    },
  });
  const running = await run(compose([look], wsgiThreads(file)));
  onTestFinished(() => running.stop());
  for (let count = 0; count < 3; count++) await running.request("/");
  expect(seen.size).toBe(1);
});

test.each([
  [{ threads: 0 }, "threads is 0; allowed is a whole number from 1 on"],
  [{ timeoutMs: -1 }, "timeoutMs is -1"],
  [{ maxQueued: 1.5 }, "maxQueued is 1.5"],
])("GW_THREAD_OPTION for %j", (options, message) => {
  expect(() => wsgiThreads(file, options)).toThrow(message);
});

test("GW_THREAD_OPTION for a file that is not there", () => {
  expect(() => wsgiThreads("./no-such-app.mjs")).toThrow(/no-such-app.mjs is not there/);
});

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gw-threads-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
