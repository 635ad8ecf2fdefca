import { cutsOf } from "@gw/core/testing";
import { expect, test } from "vitest";
import { type ResponseEvent, ResponseReader } from "./response-reader.ts";

function readAll(chunks: readonly Uint8Array[], isHead = false): { events: ResponseEvent[]; body: string } {
  const reader = new ResponseReader(isHead);
  const events = [...chunks.flatMap((chunk) => reader.feed(Uint8Array.from(chunk))), ...reader.end()];
  const body = events
    .map((event) => (event.type === "data" ? Buffer.from(event.bytes).toString("latin1") : ""))
    .join("");
  return { events: events.filter(({ type }) => type !== "data"), body };
}

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");

const messages: [string, string, string, string[] | null][] = [
  ["with a length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", null],
  ["in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", "hello", null],
  [
    "in chunks, with trailers",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-A: 1\r\nX-B: 2\r\n\r\n",
    "hello",
    ["X-A", "X-B"],
  ],
  ["that ends with the connection", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello", "hello", null],
  ["without a body", "HTTP/1.1 204 No Content\r\n\r\n", "", null],
  ["of length 0", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", null],
  [
    "behind an interim one",
    "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    "hi",
    null,
  ],
];

test.each(messages)("reads an answer %s, however its bytes are cut", (_, message, body, trailers) => {
  for (const chunks of cutsOf(bytes(message))) {
    const read = readAll(chunks);
    expect(read.body).toBe(body);
    const end = read.events.at(-1);
    expect(end?.type === "end" ? (end.trailers?.toJSON().map(([name]) => name) ?? null) : "no end").toEqual(trailers);
  }
});

test("an answer to HEAD has no body, whatever its head says", () => {
  expect(readAll([bytes("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")], true).events.map(({ type }) => type)).toEqual(
    ["head", "end"],
  );
});

test("gives status and fields as written, repeats and bytes kept", () => {
  const { events } = readAll([
    bytes("HTTP/1.1 404 Not Found\r\nSet-Cookie: a=1\r\nset-cookie: b=\xe9\r\nContent-Length: 0\r\n\r\n"),
  ]);
  const head = events[0];
  expect(head?.type === "head" ? [head.status, head.headers.toJSON()] : null).toEqual([
    404,
    [
      ["Set-Cookie", "a=1"],
      ["set-cookie", "b=\xe9"],
      ["Content-Length", "0"],
    ],
  ]);
});

test.each([
  ["the head", "HTTP/1.1 200 OK\r\nContent-"],
  ["a body of known length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"],
  ["a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"],
  ["the chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"],
])("an end inside %s is an error", (_, message) => {
  expect(() => readAll([bytes(message)])).toThrow(expect.objectContaining({ code: "GW_HTTP_ANSWER_CUT" }));
});
