// What only a test beside the app can see: when chunks move, and who is told of the end.
import assert from "node:assert/strict";
import { afterResponse, HeaderList, type Outcome, text } from "@gw/core";
import { defineCase } from "../case.ts";

/** A promise and the function that settles it. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

const firstChunk = gate();

export const streamsDown = defineCase({
  title: "the first chunk arrives while the app still makes the second",
  needs: ["same-process", "stream-down"],
  app: () => ({
    kind: "response",
    status: 200,
    headers: HeaderList.empty,
    body: (async function* () {
      yield Buffer.from("first");
      await firstChunk.opened;
      yield Buffer.from("second");
    })(),
  }),
  async check({ open }) {
    const answer = await open("/");
    let read = "";
    for await (const chunk of answer.body) {
      read += Buffer.from(chunk).toString();
      firstChunk.open();
    }
    assert.equal(read, "firstsecond");
  },
});

const upload = gate();

export const streamsUp = defineCase({
  title: "the app reads the first chunk of an upload before the client sends the second",
  needs: ["same-process", "stream-up", "stream-down"],
  app: async (request) => {
    let read = "";
    for await (const chunk of request.body) {
      read += Buffer.from(chunk).toString();
      upload.open();
    }
    return text(read);
  },
  async check({ fetch }) {
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("first");
      await upload.opened;
      yield Buffer.from("second");
    }
    assert.equal((await fetch("/", { method: "POST", body: body() })).text(), "firstsecond");
  },
});

const produced = { bytes: 0 };

export const slowReader = defineCase({
  title: "R-W7: an app waits for a client that does not read",
  needs: ["same-process", "stream-down", "abort"],
  app: () => ({
    kind: "response",
    status: 200,
    headers: HeaderList.empty,
    body: (async function* () {
      for (let at = 0; at < 2_000; at++) {
        produced.bytes += 65_536;
        yield new Uint8Array(65_536);
      }
    })(),
  }),
  async check({ open }) {
    produced.bytes = 0;
    const answer = await open("/");
    const chunks = answer.body[Symbol.asyncIterator]();
    await chunks.next();
    // The kernel's buffers fill; then nothing moves. Two looks that agree, with turns of the loop between them.
    let before = -1;
    for (let same = 0; same < 20; ) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      same = produced.bytes === before ? same + 1 : 0;
      before = produced.bytes;
    }
    assert.ok(produced.bytes < 32_000_000, `${produced.bytes} bytes were made for a client that read one chunk`);
    answer.abort();
  },
});

const left = { ends: [] as string[], outcome: gate() };

export const clientLeaves = defineCase({
  title: "a client that leaves ends the app's stream, its signal fires, and close runs once",
  needs: ["same-process", "stream-down", "abort"],
  app: (request) => {
    request.signal.addEventListener("abort", () => left.ends.push("signal"));
    request.exchange.onEnd(({ result }) => {
      left.ends.push(`end ${result}`);
      left.outcome.open();
    });
    return {
      kind: "response",
      status: 200,
      headers: HeaderList.empty,
      body: (async function* () {
        try {
          for (;;) yield new Uint8Array(65_536);
        } finally {
          left.ends.push("return");
        }
      })(),
      close: () => void left.ends.push("close"),
    };
  },
  async check({ open }) {
    left.ends = [];
    left.outcome = gate();
    const answer = await open("/");
    await answer.body[Symbol.asyncIterator]().next();
    answer.abort();
    await left.outcome.opened;
    assert.deepEqual([...left.ends].sort(), ["close", "end gone", "return", "signal"]);
  },
});

const closes = { count: 0, ends: [] as Outcome[] };

export const closeOnce = defineCase({
  title: "R-W3: close runs exactly once after a whole body, a HEAD, a 304 and a failing body",
  needs: ["same-process"],
  app: (request) => {
    request.exchange.onEnd((outcome) => void closes.ends.push(outcome));
    return {
      kind: "response",
      status: request.path === "/304" ? 304 : 200,
      headers: HeaderList.empty,
      body: (function* () {
        yield Buffer.from("one");
        if (request.path === "/throw") throw new Error("broken");
        yield Buffer.from("two");
      })(),
      close: () => void closes.count++,
    };
  },
  async check({ fetch }) {
    for (const [target, method] of [
      ["/", "GET"],
      ["/", "HEAD"],
      ["/304", "GET"],
      ["/throw", "GET"],
    ] as const) {
      closes.count = 0;
      await fetch(target, { method });
      assert.equal(closes.count, 1, `${method} ${target}`);
    }
  },
});

const tasks = { done: gate() };

export const backgroundTask = defineCase({
  title: "afterResponse runs its task once the answer is out",
  needs: ["same-process"],
  app: (request) => {
    afterResponse(request, () => tasks.done.open());
    return text("answered");
  },
  async check({ fetch }) {
    tasks.done = gate();
    assert.equal((await fetch("/")).text(), "answered");
    await tasks.done.opened;
  },
});

export const outcome = defineCase({
  title: "onEnd tells status, bytes and how it went",
  needs: ["same-process"],
  app: (request) => {
    request.exchange.onEnd((ended) => void closes.ends.push(ended));
    return text("12345", { status: 202 });
  },
  async check({ fetch }) {
    closes.ends = [];
    await fetch("/");
    assert.deepEqual(closes.ends, [{ status: 202, bytesSent: 5, result: "sent", error: null }]);
  },
});

export const earlyHints = defineCase({
  title: "a 103 with its headers comes before the answer",
  needs: ["early-hints"],
  app: (request) => {
    request.exchange.inform?.(HeaderList.from({ Link: "</a.css>; rel=preload; as=style" }));
    return text("page");
  },
  async check({ fetch }) {
    const answer = await fetch("/");
    assert.equal(answer.text(), "page");
    assert.deepEqual(
      answer.earlyHints.map((hints) => hints.get("link")),
      ["</a.css>; rel=preload; as=style"],
    );
  },
});

export const trailers = defineCase({
  title: "trailers follow the body",
  needs: ["trailers"],
  app: () => ({
    kind: "response",
    status: 200,
    headers: HeaderList.from({ Trailer: "X-Sum" }),
    body: (async function* () {
      yield Buffer.from("body");
    })(),
    trailers: () => HeaderList.from({ "X-Sum": "42" }),
  }),
  async check({ fetch }) {
    const answer = await fetch("/");
    assert.equal(answer.text(), "body");
    assert.equal(answer.trailers?.get("x-sum"), "42");
  },
});
