import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { decodeText } from "../bytes/byte-string.ts";
import { request as send } from "../testing/run.ts";
import { eventStream, type ServerEvent, writeEvent } from "./event-stream.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function* of(...events: (ServerEvent | string)[]) {
  yield* events;
}

test.each<[ServerEvent | string, string]>([
  ["hello", "data: hello\n\n"],
  ["two\nlines", "data: two\ndata: lines\n\n"],
  ["a\r\nb\rc", "data: a\ndata: b\ndata: c\n\n"],
  ["", "data: \n\n"],
  [{ data: "x", event: "tick", id: "7", retryMs: 1500.4 }, "event: tick\nid: 7\nretry: 1500\ndata: x\n\n"],
])("writes %j", (event, expected) => {
  expect(decodeText(writeEvent(event))).toBe(expected);
});

test.each<ServerEvent>([
  { data: "x", event: "a\nid: 9" },
  { data: "x", id: "a\rb" },
  { data: "x", id: "a\u0000" },
])("an event cannot smuggle a line into another field: %j", (event) => {
  expect(() => writeEvent(event)).toThrow(expect.objectContaining({ code: "GW_EVENT" }));
});

test("sends events as they come, uncached and unbuffered, and ends with the source", async () => {
  const answer = await send(() => eventStream(of("a", { data: "b", id: "2" }), { headers: { "X-A": "1" } }));
  expect(answer.headers.get("content-type")).toBe("text/event-stream");
  expect(answer.headers.get("cache-control")).toBe("no-cache");
  expect(answer.headers.get("x-a")).toBe("1");
  expect(answer.text()).toBe("data: a\n\nid: 2\ndata: b\n\n");
});

function iteratorOf(answer: ReturnType<typeof eventStream>): AsyncIterator<Uint8Array> {
  return (answer.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
}

test("a silent source is covered by heartbeats; the event that comes is not lost", async () => {
  let give: (event: string) => void = () => {};
  const source = async function* () {
    yield await new Promise<string>((resolve) => {
      give = resolve;
    });
  };
  const iterator = iteratorOf(eventStream(source, { heartbeatMs: 1000 }));
  const first = iterator.next();
  await vi.advanceTimersByTimeAsync(1000);
  expect(decodeText((await first).value)).toBe(":\n\n");
  const second = iterator.next();
  give("late");
  expect(decodeText((await second).value)).toBe("data: late\n\n");
  expect((await iterator.next()).done).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test("heartbeats can be switched off", async () => {
  const iterator = iteratorOf(eventStream(() => of("a"), { heartbeatMs: 0 }));
  const next = iterator.next();
  expect(vi.getTimerCount()).toBe(0);
  expect(decodeText((await next).value)).toBe("data: a\n\n");
});

test("the next event is asked for when the last one was taken", async () => {
  let asked = 0;
  const source = {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        asked++;
        return { done: false as const, value: "x" };
      },
    }),
  };
  const iterator = iteratorOf(eventStream(source));
  await iterator.next();
  expect(asked).toBe(1);
});

test("a client that leaves wakes a source that waits: its signal fires, and it can clean up", async () => {
  let isCleaned = false;
  const client = new AbortController();
  const answering = send(
    () =>
      eventStream(async function* (signal) {
        try {
          yield "hello";
          setImmediate(() => client.abort());
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
        } finally {
          isCleaned = true;
        }
      }),
    "/",
    { signal: client.signal },
  );
  await vi.advanceTimersByTimeAsync(1);
  expect((await answering).outcome.result).toBe("gone");
  await vi.advanceTimersByTimeAsync(0);
  expect(isCleaned).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test("a source that fails cuts the answer", async () => {
  const answer = await send(() =>
    eventStream(async function* () {
      yield "a";
      throw new Error("db");
    }),
  );
  expect(answer.outcome).toMatchObject({ result: "cut" });
});
