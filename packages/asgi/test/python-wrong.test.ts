// What an ASGI app in Python sends against the documents: its own request fails, and nobody else's (R-W5).
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { WebSocketAccept, WebSocketMessage, WebSocketPeer } from "@gw/core";
import { type RunningApp, run, testSocket } from "@gw/core/testing";
import { listeningContext } from "@gw-private/listening-context";
import { requires } from "@gw-private/requires";
import { afterEach, expect, onTestFinished } from "vitest";
import { type PythonAsgiOptions, pythonAsgi } from "../src/python.ts";

const withPython = requires("python3");
const cwd = `${import.meta.dirname}/python`;
const running: RunningApp[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
});

async function serve(name: string, options: PythonAsgiOptions = {}): Promise<RunningApp & { log: readonly string[] }> {
  const { context, log } = listeningContext();
  const app = await run(pythonAsgi(`wrong_apps:${name}`, { cwd, workers: 1, ...options }), { context });
  running.push(app);
  return { ...app, log };
}

/** Runs something beside an answer that is under way in the same worker; that one must come whole, from one process. */
async function besideAnother(app: RunningApp, attack: () => Promise<void>): Promise<void> {
  const held = app.request("/hold");
  await attack();
  await app.request("/release?[START,END]");
  const answer = await held;
  expect(answer.outcome.result).toBe("sent");
  expect(answer.text()).toMatch(/^(\d+) \1$/);
}

/** Events in Python's words, and what is said of them, in the log alone. */
const wrongHeads: readonly (readonly [events: string, message: string])[] = [
  ['[{"type": "http.response.start"}, END]', "KeyError: 'status'"],
  ['[{**START, "status": "200"}, END]', "status must be an integer, found str"],
  ['[{**START, "status": None}, END]', "status must be an integer, found NoneType"],
  ['[{**START, "status": 200.0}, END]', "status must be an integer, found float"],
  ['[{**START, "status": True}, END]', "status must be an integer, found bool"],
  ['[{**START, "status": 2**70}, END]', "status must be from 200 to 599"],
  ['[{**START, "status": 101}, END]', "status must be from 200 to 599, found 101"],
  ['[{**START, "headers": [("x-a", "b")]}, END]', "headers must be pairs of bytes"],
  ['[{**START, "headers": [(b"x-a", 5)]}, END]', "headers must be pairs of bytes"],
  ['[{**START, "headers": [(b"x-a", b"b", b"c")]}, END]', "headers must be pairs of bytes: too many values"],
  ['[{**START, "headers": [b"ab"]}, END]', "headers must be pairs of bytes"],
  ['[{**START, "headers": {"a": "b"}}, END]', "headers must be pairs of bytes"],
  ['[{**START, "headers": None}, END]', "headers must be pairs of bytes"],
  ['[{**START, "headers": [(b"x", nested(100000))]}, END]', "headers must be pairs of bytes"],
  ['[{**START, "headers": [(b"x", b"y" * 70_000_000)]}, END]', "it sent more in one piece than can be carried"],
  ['[{**START, "headers": [(b"x-a", b"b\\r\\nX-Evil: 1")]}, END]', "the value of x-a has a control character"],
  ['[START, {**END, "body": "text"}]', "TypeError"],
  ['[START, {**END, "body": 7}]', "TypeError"],
  ['[START, {**END, "body": None}]', "TypeError"],
  ["[START, START, END]", "unexpected http.response.start"],
  ["[END]", "unexpected http.response.body"],
  ["[{}]", "KeyError: 'type'"],
  ["[None]", "TypeError"],
  ['[{"type": "websocket.accept"}]', "unexpected websocket.accept"],
  ['[{"type": "http.response.push", "path": "/", "headers": []}]', "unexpected http.response.push"],
  ['[{"type": "http.response.early_hint", "links": [5]}, START, END]', "links must be bytes"],
  ['[{"type": "http.response.early_hint", "links": ["</x>"]}, START, END]', "links must be bytes"],
  ['[{"type": "http.response.early_hint", "links": [b"</x>\\r\\nX: 1"]}, START, END]', "control character"],
  ['[START, {"type": "http.response.pathsend", "path": 5}]', "TypeError"],
  ['[START, {"type": "http.response.zerocopysend", "file": 99999}]', "OSError"],
];

withPython("R-W5: a head of wrong kinds, or events in the wrong order, are a 500 of that request alone", async () => {
  const app = await serve("app");
  await besideAnother(app, async () => {
    for (const [events, message] of wrongHeads) {
      const answer = await app.request(`/?${encodeURIComponent(events)}`);
      expect([events, answer.status]).toEqual([events, 500]);
      expect(answer.text()).not.toContain("Error:");
      expect([events, String(answer.outcome.error)]).toEqual([events, expect.stringContaining(message)]);
    }
  });
});

withPython("R-W5: what is wrong after the head cuts that answer alone", async () => {
  const app = await serve("app");
  const more = '{**END, "more_body": True}';
  await besideAnother(app, async () => {
    for (const events of [
      `[START, ${more}, {**END, "body": 5}]`,
      `[START, ${more}, {"type": "nope"}]`,
      `[START, ${more}]`,
      "[TRAILING, END]",
      '[TRAILING, END, {"type": "http.response.trailers", "headers": [("a", 5)]}]',
      '[TRAILING, END, {"type": "http.response.trailers", "headers": None}]',
      '[TRAILING, END, {"type": "http.response.trailers", "headers": [(b"a", b"5\\r\\nX-Evil: 1")]}]',
    ]) {
      const answer = await app.request(`/?${encodeURIComponent(events)}`, { headers: [["TE", "trailers"]] });
      expect([events, answer.status, answer.outcome.result]).toEqual([events, 200, "cut"]);
    }
  });
});

withPython("R-W5: what is wrong in a WebSocket ends it with 500 or 1011, and no other", async () => {
  const app = await serve("app");
  const ends = async (events: string): Promise<number> => {
    const socket = await app.openSocket(`/?${encodeURIComponent(events)}`);
    return socket.response === null ? (await socket.closed).code : socket.response.status;
  };
  await besideAnother(app, async () => {
    for (const [events, end] of [
      ['[{**ACCEPT, "subprotocol": 5}]', 500],
      ['[{**ACCEPT, "subprotocol": "nobody-offers-it"}]', 500],
      ['[{**ACCEPT, "headers": [("x-a", "b")]}]', 500],
      ['[{**ACCEPT, "headers": None}]', 500],
      ['[{**DENY, "status": "403"}]', 500],
      ["[DENY, ACCEPT]", 500],
      ["[]", 500],
      ["[ACCEPT, ACCEPT]", 1011],
      ['[ACCEPT, {"type": "websocket.send"}]', 1011],
      ['[ACCEPT, {"type": "websocket.send", "text": 5}]', 1011],
      ['[ACCEPT, {"type": "websocket.send", "text": b"x"}]', 1011],
      ['[ACCEPT, {"type": "websocket.send", "bytes": "x"}]', 1011],
      ['[ACCEPT, {"type": "websocket.send", "bytes": 5}]', 1011],
      ['[ACCEPT, {"type": "websocket.send", "text": "a\\ud800b"}]', 1011],
      ['[ACCEPT, {"type": "websocket.send", "bytes": bytes(33554433)}]', 1011],
      ['[ACCEPT, {"type": "websocket.close", "code": "1000"}]', 1011],
      ['[ACCEPT, {"type": "websocket.close", "code": 1006}]', 1011],
      ['[ACCEPT, {"type": "websocket.close", "code": 2**70}]', 1011],
      ['[ACCEPT, {"type": "websocket.close", "reason": 5}]', 1011],
      ['[ACCEPT, {"type": "websocket.close", "reason": "x" * 124}]', 1011],
      ['[ACCEPT, {"type": "websocket.close", "code": None, "reason": None}]', 1000],
    ] as const)
      expect([events, await ends(events)]).toEqual([events, end]);
  });
});

for (const loop of ["receive", "send"])
  withPython(`R-W6: an app that overlooks that its client has left, in a loop of ${loop}, starves nobody`, async () => {
    const app = await serve("overlooks", { graceMs: 300 });
    const leave = new AbortController();
    const left = app.request(`/${loop}`, { signal: leave.signal });
    expect((await app.request("/ping")).text()).toBe("ok");
    leave.abort();
    await left;
    const answers = await Promise.all(Array.from({ length: 5 }, () => app.request("/ping")));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  });

for (const [path, method, end] of [
  ["/", "HEAD", "ran to its end"],
  ["/none", "GET", "ran to its end"],
  ["/endless", "HEAD", "was given up"],
] as const)
  withPython(`R-W6: ${method} ${path}: an app whose body is not sent ${end}`, async () => {
    const app = await serve("unsent", { graceMs: path === "/endless" ? 100 : 20_000, lifespan: "off" });
    const noted = join(mkdtempSync(join(tmpdir(), "gw-asgi-")), "end");
    onTestFinished(() => rmSync(dirname(noted), { recursive: true }));
    const answer = await app.request(`${path}?${noted}`, { method });
    expect([answer.outcome.result, answer.bytes.length]).toEqual(["sent", 0]);
    await expect.poll(() => readFileSync(noted, { encoding: "utf8", flag: "a+" })).toBe(end);
  });

withPython("what a framework makes of the client's leaving is no error of the app", async () => {
  const app = await serve("streams", { lifespan: "off" });
  const leave = new AbortController();
  const left = app.request("/", { signal: leave.signal });
  expect((await app.request("/ping")).text()).toBe("ok");
  leave.abort();
  await left;
  await app.stop();
  expect(app.log.join("\n")).not.toContain("wrapped");
});

/** A client that sends empty messages for ever, and never takes one. */
function flooder(): { readonly peer: WebSocketPeer; readonly given: () => number } {
  let given = 0;
  const empty: WebSocketMessage = { isText: false, bytes: new Uint8Array(0), text: () => "" };
  const never = new Promise<never>(() => {});
  const peer: WebSocketPeer = {
    send: () => never,
    close: async () => {},
    closed: never,
    async *[Symbol.asyncIterator]() {
      for (; given < 100_000; given++) yield empty;
      await never;
    },
  };
  return { peer, given: () => given };
}

withPython("R-H15: empty messages that nobody takes are held back after some thousand, either way", async () => {
  const { context } = listeningContext();
  const app = pythonAsgi("wrong_apps:floods", { cwd, workers: 1, graceMs: 50, stopTimeoutMs: 100 });
  const { request, stop } = await run(app, { context });
  running.push({ stop } as RunningApp);
  const sent = async (): Promise<number> => Number((await request("/")).text());
  const flooders = [];
  for (const path of ["/deaf", "/talks"]) {
    const one = flooder();
    flooders.push(one);
    const accept = (await app.handle(testSocket(path))) as WebSocketAccept;
    void accept.run(one.peer).catch(() => {}); // the worker ends before they do
  }
  const [deaf] = flooders;
  await expect.poll(() => deaf?.given()).toBeGreaterThan(1_000);
  await expect.poll(sent).toBeGreaterThan(1_000);
  for (let turn = 0; turn < 5; turn++) await sent();
  expect(deaf?.given()).toBeLessThan(5_000);
  expect(await sent()).toBeLessThan(10_000);
});
