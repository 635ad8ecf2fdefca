import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningApp, run } from "@gw/core/testing";
import { listeningContext } from "@gw-private/listening-context";
import { requires } from "@gw-private/requires";
import { afterAll, afterEach, expect } from "vitest";
import { type PythonAsgiOptions, pythonAsgi } from "../src/python.ts";

const withPython = requires("python3");
const running: RunningApp[] = [];
const cwd = `${import.meta.dirname}/python`;

type TestApp = RunningApp & Pick<ReturnType<typeof listeningContext>, "log" | "logged">;

async function serve(name: string, options: PythonAsgiOptions = {}): Promise<TestApp> {
  const { context, ...log } = listeningContext();
  const app = pythonAsgi(`asgi_apps:${name}`, {
    cwd,
    workers: 1,
    stopTimeoutMs: 1_500,
    backOffMs: [50, 100],
    ...options,
  });
  const one = await run(app, { context });
  running.push(one);
  return { ...one, ...log };
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
});

const folder = mkdtempSync(join(tmpdir(), "gw-asgi-"));
afterAll(() => rmSync(folder, { recursive: true }));

const noted = (path: string): string => readFileSync(path, { encoding: "utf8", flag: "a+" });

async function* chunks(count: number, bytes: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index++) yield new Uint8Array(bytes).fill(index);
}

withPython("the five-line app answers every scope, with lifespan auto", async () => {
  const app = await serve("hello");
  const answer = await app.request("/");
  expect([answer.status, answer.headers.get("content-type"), answer.text()]).toEqual([
    200,
    "text/plain",
    "Hello, World!",
  ]);
  expect(app.log.join()).not.toContain("Traceback");
});

withPython("R-W1: gets the scope that ASGI 3.0 describes, with the user and the mount", async () => {
  const app = await serve("show");
  const answer = await app.request("/app/caf%C3%A9?a=%20", {
    mount: "/app",
    headers: [
      ["X-A", "1"],
      ["x-a", "\u00e9"],
    ],
    principal: { user: "안녕", type: "Basic", groups: ["staff"], claims: { age: 3, nested: { list: [null, true] } } },
  });
  const scope = Object.fromEntries(
    answer
      .text()
      .split("\n")
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
  expect(scope).toMatchObject({
    type: "'http'",
    asgi: "{'version': '3.0', 'spec_version': '2.5'}",
    http_version: "'1.1'",
    method: "'GET'",
    scheme: "'http'",
    path: "'/app/café'",
    raw_path: "b'/app/caf%C3%A9'",
    query_string: "b'a=%20'",
    root_path: "'/app'",
    headers: "[(b'host', b'localhost'), (b'x-a', b'1'), (b'x-a', b'\\xe9')]",
    client: "('127.0.0.1', 50000)",
    server: "('localhost', 80)",
    state: "{}",
  });
  expect(scope.extensions).toContain(
    "'gw.principal': {'user': '안녕', 'type': 'Basic', 'groups': ['staff'], 'claims': {'age': 3, 'nested': {'list': [None, True]}}}",
  );
});

withPython("R-H18: userHeader carries the layer's user, and never what a client says under any spelling", async () => {
  const app = await serve("show", { userHeader: "X-Login" });
  const headers = { "X-Login": "root", x_login: "root", "x.LOGIN": "root", "X-A": "1" };
  const anonymous = (await app.request("/", { headers })).text();
  expect([anonymous.includes("root'"), anonymous.includes("b'x-a'")]).toEqual([false, true]);
  const principal = { user: "안녕", type: "Basic", groups: [], claims: {} };
  const known = (await app.request("/", { headers, principal })).text();
  expect(known).toContain("(b'x-login', b'\\xec\\x95\\x88\\xeb\\x85\\x95')");
  expect(known).not.toContain("b'root'");
  expect((await app.request("/", { principal: { ...principal, user: "a\r\nb" } })).status).toBe(500);
  expect(() => pythonAsgi("a:b", { userHeader: "X User" })).toThrow("userHeader");
});

withPython("streams both ways at once", async () => {
  const app = await serve("echo");
  expect((await app.request("/", { method: "POST", body: "short" })).text()).toBe("short");
  const answer = await app.request("/", { method: "POST", body: chunks(40, 50_000) });
  expect([answer.bytes.length, answer.bytes[1_999_999]]).toEqual([2_000_000, 39]);
});

withPython("R-W7: takes 20 MB up and gives 20 MB down, and copies buffers that the app uses again", async () => {
  const up = await serve("count");
  const body = chunks(320, 65_536);
  expect((await up.request("/", { method: "POST", body, maxBodyBytes: 30_000_000 })).text()).toBe("20971520");
  const down = await serve("large");
  const { bytes } = await down.request("/?20971520");
  expect([bytes.length, bytes[20_971_519], bytes[20_971_520], bytes.at(-1)]).toEqual([20_972_520, 120, 121, 121]);
});

withPython("R-W7: send waits for a client that does not read", async () => {
  const path = join(folder, "sent");
  const app = await serve("endless");
  const gone = new AbortController();
  let waited = false;
  await app.request(`/?${path}`, {
    signal: gone.signal,
    async onChunk() {
      if (waited) return;
      waited = true;
      expect((await app.request("/?/dev/null", { method: "HEAD" })).status).toBe(200); // others are served meanwhile
      gone.abort();
    },
  });
  await expect.poll(() => noted(path)).not.toBe("");
  expect(Number(noted(path))).toBeLessThanOrEqual(600_000);
});

withPython("R-W6: a waiting app is told that its client has left", async () => {
  const path = join(folder, "told");
  const app = await serve("waits", { lifespan: "off" });
  const gone = new AbortController();
  const answer = app.request(`/?${path}`, { signal: gone.signal });
  await app.logged(/loaded the app/);
  setTimeout(() => gone.abort(), 50);
  await answer;
  await expect.poll(() => noted(path)).toBe("http.disconnect");
});

withPython("R-W6: a call that goes on without its client is cancelled after the grace time", async () => {
  const path = join(folder, "cancelled");
  const app = await serve("stubborn", { graceMs: 50, lifespan: "off" });
  const gone = new AbortController();
  const answer = app.request(`/?${path}`, { signal: gone.signal });
  await app.logged(/loaded the app/);
  setTimeout(() => gone.abort(), 50);
  await answer;
  await expect.poll(() => noted(path)).toBe("cancelled");
});

withPython(
  "R-W5: what an app does wrong is 500 before the head and a cut answer after it; the worker lives",
  async () => {
    const app = await serve("misuse");
    for (const one of ["raise", "return", "body-first", "unknown", "header", "hop", "twice", "unfinished"]) {
      const answer = await app.request(`/?${one}`);
      expect([one, answer.status]).toEqual([one, 500]);
      expect(answer.text()).not.toContain("secret");
    }
    const cut = await app.request("/?cut");
    expect([cut.status, cut.text(), cut.outcome.result]).toEqual([200, "some", "cut"]);
    expect((await app.request("/?fine")).text()).toBe("some");
    expect((await app.request("/?status")).status).toBe(201);
    const kept = await app.request("/?keep-alive");
    expect([kept.status, kept.headers.has("connection"), kept.headers.has("transfer-encoding")]).toEqual([
      200,
      false,
      false,
    ]);
    expect(kept.headers.get("x-a")).toBe("b");
    await app.logged(/ValueError: secret of the app/);
  },
);

withPython("sends early hints and trailers", async () => {
  const answer = await (await serve("trailers")).request("/", { headers: { TE: "trailers" } });
  expect(answer.earlyHints.map((one) => one.get("link"))).toEqual(["</a.css>; rel=preload"]);
  expect([answer.text(), answer.trailers?.get("x-sum")]).toEqual(["body", "4"]);
});

withPython("R-W8: the lifespan runs around the requests, and its state is in each scope", async () => {
  const app = await serve("with_lifespan");
  expect((await app.request("/")).text()).toBe("yes");
  await app.stop();
  running.length = 0;
  await app.logged(/^shut down$/);
});

withPython("R-W8: a startup that fails is 503, with its message in the log", async () => {
  const app = await serve("fails_to_start");
  expect((await app.request("/")).status).toBe(503);
  await app.logged(/the app's startup failed: no database/);
});

withPython("echoes text and binary messages, also large ones", async () => {
  const app = await serve("socket");
  const socket = await app.openSocket("/", { subprotocols: ["chat", "other"] });
  expect([socket.subprotocol, socket.headers.get("x-a")]).toEqual(["chat", "b"]);
  for (const text of ["hello", "안녕", "x".repeat(1_000_000)]) {
    await socket.send(text);
    expect(await socket.receive()).toBe(text);
  }
  await socket.send(Uint8Array.of(0, 255));
  expect([...((await socket.receive()) as Uint8Array)]).toEqual([0, 255]);
  await socket.close(1000, "bye");
  expect((await socket.ended).result).toBe("sent");
});

withPython("tells the app why the client closed", async () => {
  const path = join(folder, "closed");
  const app = await serve("socket");
  const socket = await app.openSocket(`/?${path}`);
  await socket.close(4002, "done");
  await expect.poll(() => noted(path)).toBe("4002 done");
});

withPython("open sockets take no room of requests; beyond maxSockets an opening is answered 503 at once", async () => {
  const app = await serve("socket", { maxConcurrent: 1, maxSockets: 2 });
  const sockets = [await app.openSocket("/"), await app.openSocket("/")];
  expect((await app.openSocket("/refuse")).response?.status).toBe(503);
  await sockets[0]?.close(1000, "");
  await expect.poll(async () => (await app.openSocket("/refuse")).response?.status).toBe(403); // there is room again
  await sockets[1]?.send("still here");
  expect(await sockets[1]?.receive()).toBe("still here");
});

withPython("refuses a socket with 403, or with the app's own answer", async () => {
  const app = await serve("socket");
  expect((await app.openSocket("/refuse")).response?.status).toBe(403);
  const { response } = await app.openSocket("/deny");
  expect([response?.status, response?.headers.get("x-a"), response?.text()]).toEqual([401, "b", "who?"]);
  expect((await app.openSocket("/raise-early")).response?.status).toBe(500);
});

withPython("closes with the app's code, and with 1011 when it raises", async () => {
  const app = await serve("socket");
  expect(await (await app.openSocket("/close")).closed).toEqual({ code: 4001, reason: "enough" });
  expect((await (await app.openSocket("/raise")).closed).code).toBe(1011);
});

withPython("a worker that dies costs its requests 502 and its sockets 1011", async () => {
  const app = await serve("socket");
  const sockets = await Promise.all(Array.from({ length: 100 }, () => app.openSocket("/")));
  expect((await app.openSocket("/die")).response?.status).toBe(502);
  const closed = await Promise.all(sockets.map((socket) => socket.closed));
  expect(new Set(closed.map(({ code }) => code))).toEqual(new Set([1011]));
  await expect.poll(async () => (await app.openSocket("/")).response).toBe(null);
});

withPython("R-W9: a blocked event loop is found, shown and replaced; one slow call is not", async () => {
  const app = await serve("pid", { timeoutMs: 300, stopTimeoutMs: 500 });
  const first = (await app.request("/")).text();
  expect((await app.request("/never")).status).toBe(504);
  expect((await app.request("/")).text()).toBe(first);
  expect((await app.request("/block")).status).toBe(504);
  await app.logged(/asgi_apps\.py", line \d+ in pid/);
  await expect.poll(async () => (await app.request("/")).text(), { timeout: 5_000 }).not.toBe(first);
});

withPython("sockets are closed with 1012 when their worker is replaced, at the end of its time", async () => {
  const app = await serve("socket", { stopTimeoutMs: 1_100 });
  const socket = await app.openSocket("/");
  running.length = 0;
  await app.stop();
  expect((await socket.closed).code).toBe(1012);
});
