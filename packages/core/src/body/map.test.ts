import { expect, test, vi } from "vitest";
import { encodeText } from "../bytes/byte-string.ts";
import type { ResponseBody } from "../model/body.ts";
import { HeaderList } from "../model/headers.ts";
import type { HttpResponse } from "../model/response.ts";
import { bodySource } from "../testing/body-source.ts";
import { request } from "../testing/run.ts";
import { type ChunkTransform, mapBody } from "./map.ts";
import { pumpBody } from "./pump.ts";

function answerOf(body: ResponseBody, headers = HeaderList.empty): HttpResponse {
  return { kind: "response", status: 200, headers, body };
}

const upper: ChunkTransform = {
  chunk: (bytes) => encodeText(new TextDecoder().decode(bytes).toUpperCase()),
  end: () => encodeText("."),
};

async function* upperStream(body: AsyncIterable<Uint8Array>) {
  for await (const chunk of body) yield upper.chunk(chunk) as Uint8Array;
  yield encodeText(".");
}

const bodies: [string, () => ResponseBody][] = [
  ["bytes", () => encodeText("ab")],
  ["an iterable", () => ["a", "b"].map(encodeText)],
  [
    "an async iterable",
    async function* () {
      yield encodeText("a");
      yield encodeText("b");
    },
  ],
];

test.each(bodies)("changes %s chunk by chunk or as a stream", async (_, body) => {
  for (const transform of [{ steps: () => upper }, upperStream]) {
    expect((await request(() => mapBody(answerOf(body()), transform))).text()).toBe("AB.");
  }
});

test("chunk steps keep a sync body sync", () => {
  for (const body of [encodeText("ab"), ["a", "b"].map(encodeText)]) {
    const mapped = mapBody(answerOf(body), { steps: () => upper }).body as Iterable<Uint8Array>;
    expect([...mapped].map((chunk) => new TextDecoder().decode(chunk)).join("")).toBe("AB.");
  }
});

test("steps are made anew for each reading, so a shared answer can be mapped", () => {
  const steps = vi.fn(() => ({ chunk: (bytes: Uint8Array) => bytes }));
  const mapped = mapBody(answerOf(encodeText("a")), { steps }).body as Iterable<Uint8Array>;
  expect([...mapped]).toEqual([...mapped]);
  expect(steps).toHaveBeenCalledTimes(2);
});

test("Content-Length goes, unless the transform keeps it", () => {
  const answer = answerOf(encodeText("ab"), HeaderList.from({ "Content-Length": "2", ETag: '"x"' }));
  expect([...mapBody(answer, upperStream).headers]).toEqual([["ETag", '"x"']]);
  expect(mapBody(answer, upperStream, { keepsLength: true }).headers).toBe(answer.headers);
});

test("an answer without a body is given back as it is", () => {
  const answer = answerOf(null);
  expect(mapBody(answer, upperStream)).toBe(answer);
});

test("an error of the body reaches the reader; end is not called; close runs once", async () => {
  const end = vi.fn(() => null);
  const close = vi.fn();
  const body = (async function* () {
    yield encodeText("a");
    throw new Error("broken");
  })();
  const mapped = mapBody({ ...answerOf(body), close }, { steps: () => ({ chunk: (bytes) => bytes, end }) });
  const sending = pumpBody(mapped, { write: () => {}, signal: new AbortController().signal });
  await expect(sending).rejects.toThrow("broken");
  expect(end).not.toHaveBeenCalled();
  expect(close).toHaveBeenCalledTimes(1);
});

test.each([
  ["steps", { steps: () => ({ chunk: (bytes: Uint8Array) => bytes }) }],
  ["a stream", upperStream],
] as const)(
  "stopping early returns the body under %s; nothing is read before it is asked for",
  async (_, transform) => {
    const source = bodySource();
    const mapped = mapBody(answerOf(source.body), transform).body as AsyncIterable<Uint8Array>;
    expect(source.asked).toBe(0);
    source.push(encodeText("a"));
    for await (const _chunk of mapped) {
      expect(source.asked).toBe(1);
      break;
    }
    expect(source.isReturned).toBe(true);
  },
);
