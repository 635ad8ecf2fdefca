import { expect, test, vi } from "vitest";
import { encodeText } from "../bytes/byte-string.ts";
import type { ResponseBody } from "../model/body.ts";
import { HeaderList } from "../model/headers.ts";
import type { HttpResponse } from "../model/response.ts";
import { bodySource } from "../testing/body-source.ts";
import { pumpBody } from "./pump.ts";

function answerOf(body: ResponseBody, more: Partial<HttpResponse> = {}) {
  const close = vi.fn();
  return { answer: { kind: "response", status: 200, headers: HeaderList.empty, body, close, ...more } as const, close };
}

function target(signal: AbortSignal = new AbortController().signal) {
  const chunks: string[] = [];
  return { chunks, signal, write: (chunk: Uint8Array) => void chunks.push(new TextDecoder().decode(chunk)) };
}

async function* streamed(...parts: string[]) {
  for (const part of parts) yield encodeText(part);
}

test.each<[string, () => ResponseBody, string[]]>([
  ["no body", () => null, []],
  ["bytes", () => encodeText("abc"), ["abc"]],
  ["an iterable", () => ["a", "", "bc"].map(encodeText), ["a", "bc"]],
  ["an async iterable", () => streamed("a", "", "bc"), ["a", "bc"]],
])("sends %s without empty chunks and closes the answer once", async (_, body, expected) => {
  const { answer, close } = answerOf(body());
  const to = target();
  const bytesSent = expected.join("").length;
  expect(await pumpBody(answer, to)).toEqual({ bytesSent, trailers: null });
  expect(to.chunks).toEqual(expected);
  expect(close).toHaveBeenCalledTimes(1);
});

test("R-W7: the next chunk is asked for when the client has taken the last one", async () => {
  const source = bodySource();
  let release: () => void = () => {};
  let arrive: () => void = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const sending = pumpBody(answerOf(source.body).answer, {
    signal: new AbortController().signal,
    write() {
      arrive();
      return new Promise<void>((resolve) => {
        release = resolve;
      });
    },
  });
  const taken = source.push(encodeText("a"));
  await arrived;
  await new Promise((resolve) => setImmediate(resolve));
  expect(source.asked).toBe(1);
  release();
  await taken;
  expect(source.asked).toBe(2);
  source.end();
  expect((await sending).bytesSent).toBe(1);
});

test("R-W4: a body that is longer than its Content-Length is stopped before the byte too many", async () => {
  const headers = HeaderList.from({ "Content-Length": "3" });
  for (const body of [encodeText("abcd"), ["ab", "cd"].map(encodeText), streamed("ab", "cd")]) {
    const { answer, close } = answerOf(body, { headers });
    const to = target();
    await expect(pumpBody(answer, to)).rejects.toMatchObject({ code: "GW_LENGTH_MISMATCH", status: 500 });
    expect(to.chunks.join("").length).toBeLessThanOrEqual(3);
    expect(close).toHaveBeenCalledTimes(1);
  }
});

test("R-W4: a body that is shorter than its Content-Length is an error, not an end", async () => {
  const headers = HeaderList.from({ "Content-Length": "3" });
  for (const body of [null, encodeText("ab"), ["a"].map(encodeText), streamed("a", "b")]) {
    const { answer, close } = answerOf(body, { headers });
    await expect(pumpBody(answer, target())).rejects.toMatchObject({ code: "GW_LENGTH_MISMATCH" });
    expect(close).toHaveBeenCalledTimes(1);
  }
});

test.each<[string, (error: Error) => ResponseBody]>([
  [
    "an iterable",
    function* (error) {
      yield encodeText("a");
      throw error;
    },
  ],
  [
    "an async iterable",
    async function* (error) {
      yield encodeText("a");
      throw error;
    },
  ],
])("R-W5, R-W3: the error of %s rejects, after close has run once", async (_, body) => {
  const error = new Error("broken");
  const { answer, close } = answerOf(body(error));
  await expect(pumpBody(answer, target())).rejects.toBe(error);
  expect(close).toHaveBeenCalledTimes(1);
});

test("R-W3: a failing write stops the body, returns its iterator, then closes", async () => {
  const order: string[] = [];
  const body = (async function* () {
    try {
      yield encodeText("a");
      yield encodeText("b");
    } finally {
      order.push("returned");
    }
  })();
  const { answer } = answerOf(body, { close: () => void order.push("closed") });
  const write = () => Promise.reject(new Error("EPIPE"));
  await expect(pumpBody(answer, { write, signal: new AbortController().signal })).rejects.toThrow("EPIPE");
  expect(order).toEqual(["returned", "closed"]);
});

test("a sync body is returned, too, when a write fails", async () => {
  let isReturned = false;
  const body = (function* () {
    try {
      yield encodeText("a");
    } finally {
      isReturned = true;
    }
  })();
  const write = () => {
    throw new Error("EPIPE");
  };
  await expect(pumpBody(answerOf(body).answer, { write, signal: new AbortController().signal })).rejects.toThrow();
  expect(isReturned).toBe(true);
});

test("a peer that leaves while the body waits: iterator returned, answer closed, rejects with the signal's reason", async () => {
  const source = bodySource();
  const peer = new AbortController();
  const { answer, close } = answerOf(source.body);
  const sending = pumpBody(answer, target(peer.signal));
  await source.whenAsked();
  peer.abort(new Error("gone"));
  await expect(sending).rejects.toThrow("gone");
  expect(source.isReturned).toBe(true);
  expect(close).toHaveBeenCalledTimes(1);
});

test("a generator that never wakes up does not keep the answer open when the peer has left", async () => {
  const peer = new AbortController();
  let wake: () => void = () => {};
  const body = (async function* () {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
    yield encodeText("late");
  })();
  const { answer, close } = answerOf(body);
  const sending = pumpBody(answer, target(peer.signal));
  peer.abort(new Error("gone"));
  await expect(sending).rejects.toThrow("gone");
  expect(close).toHaveBeenCalledTimes(1);
  wake();
});

test("a peer that leaves while it should take a chunk ends the pump", async () => {
  const peer = new AbortController();
  const write = (): Promise<void> => {
    peer.abort(new Error("gone"));
    return new Promise(() => {});
  };
  for (const body of [["a"].map(encodeText), streamed("a")]) {
    await expect(pumpBody(answerOf(body).answer, { write, signal: peer.signal })).rejects.toThrow("gone");
  }
});

test("a peer that was gone before is sent nothing; the answer is closed", async () => {
  const body = vi.fn();
  const { answer, close } = answerOf({ [Symbol.asyncIterator]: body });
  await expect(pumpBody(answer, target(AbortSignal.abort(new Error("gone"))))).rejects.toThrow("gone");
  expect(body).not.toHaveBeenCalled();
  expect(close).toHaveBeenCalledTimes(1);
});

test("chunks that are no bytes are refused with GW_BODY_CHUNK", async () => {
  for (const bad of ["text", null, 5]) {
    const { answer } = answerOf([bad] as unknown as Uint8Array[]);
    await expect(pumpBody(answer, target())).rejects.toMatchObject({ code: "GW_BODY_CHUNK", status: 500 });
  }
});

test("trailers are asked for after the last chunk, before close", async () => {
  const order: string[] = [];
  const trailers = HeaderList.from({ "X-Sum": "1" });
  const { answer } = answerOf(
    (async function* () {
      yield encodeText("a");
      order.push("end");
    })(),
    {
      trailers: () => {
        order.push("trailers");
        return trailers;
      },
      close: () => void order.push("close"),
    },
  );
  expect((await pumpBody(answer, target())).trailers).toBe(trailers);
  expect(order).toEqual(["end", "trailers", "close"]);
});

test("a close that fails rejects after a whole body, and does not hide the body's own error", async () => {
  const close = (): never => {
    throw new Error("close failed");
  };
  await expect(pumpBody(answerOf(encodeText("a"), { close }).answer, target())).rejects.toThrow("close failed");
  const body = (function* () {
    yield encodeText("a");
    throw new Error("body failed");
  })();
  await expect(pumpBody(answerOf(body, { close }).answer, target())).rejects.toThrow("body failed");
});

test("a body of many chunks leaves no listener on the signal", async () => {
  const { signal } = new AbortController();
  const added = vi.spyOn(signal, "addEventListener");
  const removed = vi.spyOn(signal, "removeEventListener");
  await pumpBody(answerOf(streamed(..."abcdefgh")).answer, target(signal));
  expect(added).toHaveBeenCalledTimes(1);
  expect(removed).toHaveBeenCalledTimes(1);
});

test.each([
  ["a line end", ["X-Sum", "1\r\nX-Evil: 1"]],
  ["a name that is none", ["X Sum", "1"]],
  ["a length", ["Content-Length", "3"]],
  ["a field of the connection", ["Connection", "close"]],
])("R-H5: trailers with %s are an error of the answer, which is closed once", async (_, lines) => {
  const { answer, close } = answerOf(encodeText("abc"), { trailers: () => HeaderList.fromWire(lines) });
  await expect(pumpBody(answer, target())).rejects.toMatchObject({ code: "GW_RESPONSE_HEAD" });
  expect(close).toHaveBeenCalledTimes(1);
});
